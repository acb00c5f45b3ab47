//! PyTorch in a process of its own; what is said between the two is described in
//! `benches/torch/worker.py`.

use super::Options;
use super::tensors::Files;
use anyhow::{Context, Result, bail, ensure};
use candle_core::Tensor;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running worker.
pub struct Worker {
    process: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    threads: usize,
}

/// What loading a case came to.
pub struct Loaded {
    /// The way of computing that PyTorch took, as the fastest of several.
    pub way: String,
    /// What it said.
    pub outputs: HashMap<String, Tensor>,
}

impl Worker {
    /// Starts PyTorch, in the environment of `scripts/interop-env`, which is made if need be.
    pub fn start(options: &Options) -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let script = "scripts/interop-env";
        let mut folders = here.ancestors();
        let root = folders
            .find(|folder| folder.join(script).exists())
            .with_context(|| format!("no {script} above {}", here.display()))?;
        let made = Command::new(root.join(script))
            .stderr(Stdio::inherit())
            .output()?;
        ensure!(made.status.success(), "{script} failed: {}", made.status);
        let python = String::from_utf8(made.stdout)?;
        let mut process = Command::new(python.trim())
            .args(["-W", "ignore"])
            .arg(root.join("benches/torch/worker.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let requests = process.stdin.take();
        let answers = process.stdout.take().context("the worker has no output")?;
        Ok(Self {
            process,
            requests,
            answers: BufReader::new(answers),
            threads: options.threads,
        })
    }

    /// Loads a case, described by `request`, in a mode.
    pub fn load(&mut self, mode: &str, request: &Value, files: &Files) -> Result<Loaded> {
        let outputs = files.path("outputs");
        let mut request = request.clone();
        request["call"] = json!("load");
        request["mode"] = json!(mode);
        request["threads"] = json!(self.threads);
        request["outputs"] = json!(outputs);
        let answer = self.ask(&request)?;
        let way = answer["way"].as_str().context("an answer without a way")?;
        Ok(Loaded {
            way: way.to_owned(),
            outputs: candle_core::safetensors::load(outputs, &candle_core::Device::Cpu)?,
        })
    }

    /// The seconds of each of `repetitions` runs of the case loaded in a mode.
    pub fn run(&mut self, mode: &str, repetitions: usize) -> Result<Vec<f64>> {
        let request = json!({ "call": "run", "mode": mode, "repetitions": repetitions });
        let answer = self.ask(&request)?;
        Ok(serde_json::from_value(answer["seconds"].clone())?)
    }

    fn ask(&mut self, request: &Value) -> Result<Value> {
        let requests = self.requests.as_mut().context("the worker was stopped")?;
        writeln!(requests, "{request}")?;
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            bail!("PyTorch ended while it was asked for {request}");
        }
        let answer: Value = serde_json::from_str(&line)?;
        match answer["error"].as_str() {
            Some(error) => bail!("PyTorch: {error}"),
            None => Ok(answer),
        }
    }
}

impl Drop for Worker {
    /// Without requests the worker ends by itself.
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Err(error) = self.process.wait() {
            eprintln!("the PyTorch worker: {error}");
        }
    }
}
