use hrm_planner::grid::generate::Kind;
use hrm_training::*;
fn scores(model: &hrm_planner::model::GridHrm, n: usize, max: usize) -> anyhow::Result<()> {
    for sides in [16..=16, 32..=32, 48..=48] {
        print!("   {:?}:", sides);
        for kind in Kind::ALL {
            let s = score(model, kind, n, sides.clone(), 7_000_000, max)?;
            print!(
                "  {} {:.1}/{:.0}% {:.3} s{:.1}",
                s.kind,
                100. * s.reached,
                100. * s.optimal,
                s.cost_ratio,
                s.segments
            );
        }
        println!();
    }
    Ok(())
}
fn main() -> anyhow::Result<()> {
    let a: Vec<String> = std::env::args().collect();
    if a[1] == "eval" {
        let m = hrm_planner::model::Checkpoint::read(std::path::Path::new(&a[2]))?.model()?;
        return scores(&m, a[3].parse()?, a[4].parse()?);
    }
    let (recipe, text) = Recipe::read(std::path::Path::new(&a[1]))?;
    let steps = recipe.run.steps;
    let every = recipe.run.evaluate_every;
    let mut trainer = Trainer::new(recipe, text)?;
    let t = std::time::Instant::now();
    let mut acc = (0.0, 0.0, 0.0, 0.0, 0.0);
    for i in 0..steps {
        let r = trainer.step()?;
        acc.0 += r.moves;
        acc.1 += r.value;
        acc.2 += r.halt;
        acc.3 += r.continuing;
        acc.4 += r.arrives;
        if (i + 1) % 100 == 0 {
            println!(
                "{:5} {:6.1}s moves {:.4} value {:.4} halt {:.4} cont {:.4} arrives {:.4} grad {:.3} n {} cells {} seg {:.1}",
                r.step,
                t.elapsed().as_secs_f64(),
                acc.0 / 100.,
                acc.1 / 100.,
                acc.2 / 100.,
                acc.3 / 100.,
                acc.4 / 100.,
                r.gradient,
                r.samples,
                r.cells,
                r.segment
            );
            acc = (0., 0., 0., 0., 0.);
        }
        if (i + 1) % every == 0 || i + 1 == steps {
            let m = trainer.averaged_model()?;
            trainer.checkpoint()?.write(std::path::Path::new(&a[2]))?;
            scores(&m, 16, 64)?;
        }
    }
    Ok(())
}
