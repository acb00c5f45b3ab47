//! Prints a generated problem as text: `cargo run --example generated_map -- rooms 32 64 7`
//! (kind, height, width, seed). `#` is blocked, `.` free, `S` the start, `G` the goal; the first
//! line is the top row.

use std::error::Error;

use hrm_planner::grid::generate::{Kind, Problem, problem};
use hrm_planner::grid::{Cell, Cost};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [kind, height, width, seed] = words.as_slice() else {
        return Err("give kind, height, width and seed, for example: maze 24 60 1".into());
    };
    let mut rng = ChaCha8Rng::seed_from_u64(seed.parse()?);
    let kind: Kind = kind.parse()?;
    print!(
        "{}",
        art(&problem(kind, height.parse()?, width.parse()?, &mut rng))
    );
    Ok(())
}

fn art(problem: &Problem) -> String {
    let geometry = problem.map.geometry();
    let symbol = |cell| {
        if cell == problem.start {
            'S'
        } else if cell == problem.goal {
            'G'
        } else if problem.map.cost(cell) == Cost::FREE {
            '.'
        } else {
            '#'
        }
    };
    let line = |row| {
        let cells = (0..geometry.width()).map(|col| symbol(Cell::new(row, col)));
        cells.chain(['\n']).collect::<String>()
    };
    (0..geometry.height()).rev().map(line).collect()
}
