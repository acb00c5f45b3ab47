//! The worst plans are drawn, the worst first, and what is drawn is what the judge judged.

use crate::common::{steps, tiny_text, trainer};
use hrm_planner::grid::Cell;
use hrm_planner::grid::generate::Kind;
use hrm_planner::judge::{Answer, FailureCounts, Failures, Generated, Judge, Row};
use hrm_planner::planner::{NamedModel, PlannerConfig};
use std::sync::Mutex;

/// What is checked of an answer.
struct Seen {
    kind: String,
    start: Cell,
    goal: Cell,
    cells: Vec<Cell>,
    returns_to: Option<Cell>,
    reached: bool,
    ratio: Option<f64>,
}

/// A model of a few steps, judged on 24 maps while `show` looks on.
fn judge(show: &(dyn Fn(&Answer<'_>) + Sync)) -> Vec<Row> {
    let mut trainer = trainer(&tiny_text(20));
    steps(&mut trainer, 20);
    let checkpoint = trainer.checkpoint(serde_json::Value::Null);
    let named = NamedModel {
        name: "bad".to_owned(),
        model: checkpoint.and_then(|c| Ok(c.model()?)).expect("a model"),
    };
    let config = PlannerConfig {
        max_segments: 4,
        ..PlannerConfig::default()
    };
    let judge = Judge::new(&config, Some(named), 1).expect("a judge");
    let set = Generated {
        kinds: vec![Kind::Maze, Kind::Random],
        sides: vec![10],
        n: 12,
    };
    judge.shown_to(show).generated(&set).expect("rows")
}

#[test]
fn every_answer_is_shown_as_far_as_it_leads() {
    let seen = Mutex::new(Vec::new());
    let rows = judge(&|answer: &Answer<'_>| {
        seen.lock().unwrap().push(Seen {
            kind: answer.kind.to_owned(),
            start: answer.case.start,
            goal: answer.case.goal,
            cells: answer.cells.to_vec(),
            returns_to: answer.returns_to,
            reached: answer.reached,
            ratio: answer.ratio,
        });
    });
    let seen = seen.into_inner().unwrap();
    for row in &rows {
        let of_row: Vec<&Seen> = seen
            .iter()
            .filter(|answer| answer.kind == row.kind)
            .collect();
        assert_eq!(of_row.len(), row.n);
        let reached = of_row.iter().filter(|answer| answer.reached).count();
        assert_eq!(row.reached, Some(reached as f64 / row.n as f64));
    }
    let mut loops = 0;
    for answer in &seen {
        let last = *answer.cells.last().expect("at least the start");
        assert_eq!(answer.cells[0], answer.start);
        assert_eq!(answer.reached, last == answer.goal);
        assert_eq!(answer.reached, answer.ratio.is_some());
        if let Some(back) = answer.returns_to {
            loops += 1;
            assert!(!answer.reached);
            assert!(answer.cells.contains(&back), "it has been there");
            assert!(
                last != back && last.octile_distance(back) < 1.5,
                "one move away"
            );
        }
    }
    assert!(loops > 0, "so bad a model goes round in circles");
}

#[test]
fn counts_are_those_of_the_rows_and_pictures_do_not_depend_on_order() {
    let failures = Failures::default();
    let rows = judge(&|answer| failures.see(answer));
    let of = |share: fn(&Row) -> Option<f64>| -> usize {
        let counts = rows.iter().map(|row| share(row).unwrap() * row.n as f64);
        counts.sum::<f64>().round() as usize
    };
    let (reached, optimal) = (of(|row| row.reached), of(|row| row.optimal));
    let counts = FailureCounts {
        of: 24,
        unreached: 24 - reached,
        longer: reached - optimal,
    };
    assert_eq!(failures.counts(), counts);

    let folder = tempfile::tempdir().unwrap();
    let paths = failures.save("bad", folder.path()).unwrap();
    let failed = counts.unreached + counts.longer;
    assert_eq!(paths.len(), 1 + failed.min(12));
    let again = Failures::default();
    judge(&|answer| again.see(answer));
    let other = tempfile::tempdir().unwrap();
    let same = again.save("bad", other.path()).unwrap();
    for (one, two) in paths.iter().zip(&same) {
        assert!(std::fs::read(one).unwrap() == std::fs::read(two).unwrap());
    }
}

#[test]
fn without_failures_nothing_is_drawn_and_earlier_pictures_go() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["worst.png", "worst-01.png", "mine.png"] {
        std::fs::write(folder.path().join(name), "old").unwrap();
    }
    let paths = Failures::default().save("good", folder.path()).unwrap();
    assert!(paths.is_empty());
    let left: Vec<_> = folder
        .path()
        .read_dir()
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, ["mine.png"]);
}
