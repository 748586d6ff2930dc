//! The binary in a process of its own.

use std::borrow::BorrowMut;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

/// The binary with these arguments, in this folder and with an empty environment.
pub fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_429chain"));
    command.args(args).current_dir(dir).env_clear();
    command
}

/// A running proxy; ended when dropped.
pub struct Running {
    pub child: Child,
    stderr: Option<BufReader<ChildStderr>>,
    pub url: String,
    /// Everything on stderr until it listened.
    pub before: String,
}

impl Running {
    pub fn start(mut command: impl BorrowMut<Command>) -> Self {
        let command = command.borrow_mut();
        let child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut running = Self { child, stderr: None, url: String::new(), before: String::new() };
        let mut stderr = BufReader::new(running.child.stderr.take().unwrap());
        while running.url.is_empty() {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended early: {}", running.before);
            running.before += &line;
            if let Some((_, url)) = line.trim_end().split_once("listening on ") {
                running.url = url.split('"').next().unwrap().to_owned();
            }
        }
        running.stderr = Some(stderr);
        running
    }

    /// Sends a signal.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Sends a signal, waits for the end; the exit code and the rest of stderr.
    pub fn end(mut self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal);
        let mut rest = String::new();
        self.stderr.take().unwrap().read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
