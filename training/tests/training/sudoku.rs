//! Sudoku: boards, the solver on published puzzles, generated puzzles, symmetries, tokens.

use crate::common::{run, stderr};
use hrm_training::Error;
use hrm_training::sudoku::{
    Board, CELLS, Puzzle, SEQUENCE, Solutions, Symmetry, VOCABULARY, Wanted, generate, solve,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;
use std::path::Path;

/// The example of Wikipedia's article: easy, 30 clues.
const EASY: &str = "
    53..7.... 6..195... .98....6. 8...6...3 4..8.3..1
    7...2...6 .6....28. ...419..5 ....8..79";
const EASY_SOLUTION: &str = "
    534678912 672195348 198342567 859761423 426853791
    713924856 961537284 287419635 345286179";

/// The first of Gordon Royle's collection of puzzles with 17 clues.
const SEVENTEEN: &str = "
    .......1. 4........ .2....... ....5.4.7 ..8...3..
    ..1.9.... 3..4..2.. .5.1..... ...8.6...";
const SEVENTEEN_SOLUTION: &str = "
    693784512 487512936 125963874 932651487 568247391
    741398625 319475268 856129743 274836159";

/// AI Escargot by Arto Inkala, 2006: made to be hard.
const ESCARGOT: &str = "
    1....7.9. .3..2...8 ..96..5.. ..53..9.. .1..8...2
    6....4... 3......1. .4......7 ..7...3..";

/// A board without a contradiction in sight and yet without a solution (Peter Norvig, "Solving
/// Every Sudoku Puzzle").
const IMPOSSIBLE: &str = "
    .....5.8. ...6.1.43 ......... .1.5..... ...1.6...
    3.......5 53.....61 ........4 .........";

fn board(text: &str) -> Board {
    text.parse().expect("a board")
}

fn any(clues: std::ops::RangeInclusive<usize>) -> Wanted {
    Wanted {
        clues,
        min_backtracks: 0,
    }
}

fn puzzles(wanted: &Wanted, count: u64) -> Vec<Puzzle> {
    let puzzle = |number| generate(wanted, 11, number).expect("a puzzle");
    (0..count).map(puzzle).collect()
}

#[test]
fn a_board_is_read_and_written_as_81_characters() {
    let text = board(EASY).to_string();
    assert_eq!(text.len(), CELLS);
    assert!(text.starts_with("53..7....6..195"));
    assert_eq!(board(&text), board(EASY));
    assert_eq!(board(&text.replace('.', "0")), board(EASY));
    assert_eq!(board(EASY).clues(), 30);
}

#[test]
fn what_is_no_board_is_refused_with_the_reason() {
    let refused = |text: &str| text.parse::<Board>().expect_err("no board");
    assert!(matches!(refused("123"), Error::SudokuLength { cells: 3 }));
    assert!(matches!(
        refused(&".".repeat(82)),
        Error::SudokuLength { cells: 82 }
    ));
    let text = board(EASY).to_string().replacen('6', "x", 1);
    let error = refused(&text).to_string();
    assert!(error.contains("'x' in row 2, column 1"), "{error}");
    assert!(Board::new([10; CELLS]).is_err());
}

#[test]
fn a_digit_twice_in_a_row_column_or_box_is_illegal() {
    for twice in [[0, 8], [0, 72], [0, 20], [60, 80]] {
        let mut cells = [0; CELLS];
        for cell in twice {
            cells[cell] = 5;
        }
        assert!(!Board::new(cells).unwrap().is_legal(), "{twice:?}");
    }
    assert!(Board::BLANK.is_legal());
    assert!(!Board::BLANK.is_solved());
    assert!(board(EASY_SOLUTION).is_solved());
}

#[test]
fn published_puzzles_have_their_published_solution_and_no_other() {
    for (puzzle, solution) in [(EASY, EASY_SOLUTION), (SEVENTEEN, SEVENTEEN_SOLUTION)] {
        let (puzzle, solution) = (board(puzzle), board(solution));
        assert!(solution.is_solved() && solution.keeps(&puzzle));
        assert_eq!(solve(&puzzle).solutions, Solutions::One(solution));
    }
}

#[test]
fn boards_without_a_solution_are_recognised() {
    // Two fives in a row; a row that lacks only a 9 whose column has one; a hidden contradiction.
    let twice = board(&format!("55{}", ".".repeat(79)));
    let column = board(&format!("12345678.{}........9", ".".repeat(63)));
    assert!(!twice.is_legal());
    assert!(column.is_legal());
    for board in [twice, column, board(IMPOSSIBLE)] {
        assert_eq!(solve(&board).solutions, Solutions::None, "{board}");
    }
    assert!(solve(&board(IMPOSSIBLE)).backtracks > 0);
}

#[test]
fn boards_with_several_solutions_are_recognised_by_two_of_them() {
    // No board of 16 clues has one solution (arXiv 1201.0749).
    let sixteen = SEVENTEEN.replacen('1', ".", 1);
    for board in [board(&sixteen), Board::BLANK] {
        let Solutions::Many([first, second]) = solve(&board).solutions else {
            panic!("{board} has several solutions");
        };
        assert_ne!(first, second);
        for solution in [first, second] {
            assert!(solution.is_solved() && solution.keeps(&board));
        }
    }
}

#[test]
fn a_full_board_is_its_own_solution() {
    let full = board(EASY_SOLUTION);
    assert_eq!(solve(&full).solutions, Solutions::One(full));
}

#[test]
fn puzzles_made_to_be_hard_need_backtracks_and_easy_ones_none() {
    let [easy, seventeen, escargot] =
        [EASY, SEVENTEEN, ESCARGOT].map(|text| solve(&board(text)).backtracks);
    assert_eq!(easy, 0);
    assert!(seventeen < escargot, "{seventeen}, {escargot}");

    let mean = |clues| -> f64 {
        let puzzles = puzzles(&any(clues), 60);
        puzzles.iter().map(|p| p.backtracks as f64).sum::<f64>() / 60.0
    };
    let (few, some, many) = (mean(24..=25), mean(30..=31), mean(45..=46));
    assert!(few > some && some > many, "{few}, {some}, {many}");
}

#[test]
fn backtracks_do_not_depend_on_how_digits_are_called() {
    let plain = board(ESCARGOT);
    let swapped = plain
        .cells()
        .map(|digit| if digit == 0 { 0 } else { 10 - digit });
    let swapped = Board::new(swapped).unwrap();
    assert_eq!(solve(&swapped).backtracks, solve(&plain).backtracks);
}

#[test]
fn generated_puzzles_have_exactly_their_solution_and_the_clues_wanted() {
    let mut seen = BTreeSet::new();
    for puzzle in puzzles(&any(24..=40), 60) {
        assert!((24..=40).contains(&puzzle.board.clues()));
        assert!(puzzle.solution.is_solved());
        assert!(puzzle.solution.keeps(&puzzle.board));
        let verdict = solve(&puzzle.board);
        assert_eq!(verdict.solutions, Solutions::One(puzzle.solution));
        assert_eq!(verdict.backtracks, puzzle.backtracks);
        seen.insert(puzzle.solution.to_string());
    }
    assert_eq!(seen.len(), 60);
}

#[test]
fn clues_are_as_many_as_wanted_and_spread_over_the_range() {
    for puzzle in puzzles(&any(36..=36), 10) {
        assert_eq!(puzzle.board.clues(), 36);
    }
    let counts: BTreeSet<usize> = puzzles(&any(30..=33), 60)
        .iter()
        .map(|p| p.board.clues())
        .collect();
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [30, 31, 32, 33]);
}

#[test]
fn hard_puzzles_can_be_asked_for() {
    let wanted = Wanted {
        clues: 24..=28,
        min_backtracks: 5,
    };
    for puzzle in puzzles(&wanted, 5) {
        assert!(puzzle.backtracks >= 5);
    }
}

#[test]
fn the_same_seed_and_number_give_the_same_puzzle_and_others_another() {
    let wanted = any(26..=30);
    let puzzle = |seed, number| generate(&wanted, seed, number).unwrap();
    assert_eq!(puzzle(3, 5), puzzle(3, 5));
    assert_ne!(puzzle(3, 5).solution, puzzle(3, 6).solution);
    assert_ne!(puzzle(3, 5).solution, puzzle(4, 5).solution);
}

#[test]
fn puzzles_that_cannot_be_are_refused() {
    for (min, max) in [(16, 20), (30, 81), (31, 30)] {
        let error = generate(&any(min..=max), 1, 0).unwrap_err();
        assert!(error.is_bad_input());
        let text = error.to_string();
        assert!(text.contains(&format!("{min} to {max} clues")), "{text}");
    }
    let wanted = Wanted {
        clues: 79..=80,
        min_backtracks: 1000,
    };
    let error = generate(&wanted, 1, 0).unwrap_err();
    assert!(matches!(error, Error::SudokuRare { .. }), "{error}");
}

#[test]
fn a_symmetry_takes_a_puzzle_and_its_solution_to_another_puzzle_and_its_solution() {
    let mut dice = ChaCha8Rng::seed_from_u64(5);
    for (puzzle, solution) in [(EASY, EASY_SOLUTION), (SEVENTEEN, SEVENTEEN_SOLUTION)] {
        let (puzzle, solution) = (board(puzzle), board(solution));
        let mut images = BTreeSet::new();
        for _ in 0..50 {
            let symmetry = Symmetry::draw(&mut dice);
            let image = symmetry.apply(&puzzle);
            assert_eq!(image.clues(), puzzle.clues());
            assert_eq!(
                solve(&image).solutions,
                Solutions::One(symmetry.apply(&solution))
            );
            images.insert(image.to_string());
        }
        assert_eq!(images.len(), 50);
    }
}

#[test]
fn symmetries_move_a_cell_anywhere_and_a_digit_to_any_other() {
    let mut one = [0; CELLS];
    one[0] = 1;
    let one = Board::new(one).unwrap();
    let mut dice = ChaCha8Rng::seed_from_u64(5);
    let (mut places, mut digits) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..1500 {
        let image = Symmetry::draw(&mut dice).apply(&one);
        let place = image.cells().iter().position(|&digit| digit != 0).unwrap();
        digits.insert(image.cells()[place]);
        places.insert(place);
    }
    assert_eq!((places.len(), digits.len()), (81, 9));
}

#[test]
fn some_symmetries_transpose() {
    // A full row stays a row, unless the board is transposed.
    let row = board(&format!("123456789{}", ".".repeat(72)));
    let mut dice = ChaCha8Rng::seed_from_u64(5);
    let rows = (0..200)
        .filter(|_| {
            let image = Symmetry::draw(&mut dice).apply(&row);
            image.cells().chunks(9).any(|row| !row.contains(&0))
        })
        .count();
    assert!((60..140).contains(&rows), "{rows}");
}

#[test]
fn tokens_are_those_of_the_published_data() {
    let tokens = board(EASY).tokens();
    assert_eq!(tokens.len(), SEQUENCE);
    // Digits are one more, a blank is 1, and 0 is left for padding.
    assert_eq!(tokens[..9], [6, 4, 1, 1, 8, 1, 1, 1, 1]);
    assert!(
        tokens
            .iter()
            .all(|&token| (1..VOCABULARY as u32).contains(&token))
    );
    assert_eq!(Board::from_tokens(&tokens).unwrap(), board(EASY));
}

#[test]
fn tokens_that_are_no_board_are_refused() {
    let mut tokens = board(EASY).tokens();
    assert!(matches!(
        Board::from_tokens(&tokens[1..]),
        Err(Error::SudokuLength { cells: 80 })
    ));
    for wrong in [0, 11, u32::MAX] {
        tokens[10] = wrong;
        let error = Board::from_tokens(&tokens).unwrap_err().to_string();
        assert!(error.contains("row 2, column 2"), "{error}");
    }
}

#[test]
fn the_program_prints_puzzles_in_the_columns_of_the_published_data() {
    let args = [
        "sudoku", "--count", "70", "--clues", "30..34", "--seed", "11",
    ];
    let output = run(Path::new("."), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut reader = csv::Reader::from_reader(&output.stdout[..]);
    let header: Vec<&str> = reader.headers().unwrap().iter().collect();
    assert_eq!(header, ["source", "question", "answer", "rating"]);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 70);
    for (number, (row, puzzle)) in rows.iter().zip(puzzles(&any(30..=34), 70)).enumerate() {
        assert_eq!(row[0], format!("11/{number}"));
        assert_eq!(row[1], puzzle.board.to_string());
        assert_eq!(row[2], puzzle.solution.to_string());
        assert_eq!(row[3], puzzle.backtracks.to_string());
    }
}

#[test]
fn the_program_refuses_clues_that_no_puzzle_has() {
    for clues in ["10..20", "30..20", "30..81", "many", "24.."] {
        let output = run(Path::new("."), &["sudoku", "--clues", clues]);
        assert_eq!(output.status.code(), Some(2), "{clues}");
        assert!(output.stdout.is_empty(), "{clues}");
    }
}
