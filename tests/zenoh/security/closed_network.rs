//! The network of `configs/zenoh`, with a port and certificates of its own, and who joins it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use hrm_planner::middleware::zenoh::Identity;
use hrm_planner::middleware::zenoh::client::Client;
use hrm_planner::middleware::zenoh::session::Network;
use tempfile::TempDir;
use zenoh::{Config, Session, Wait};

use crate::common::cli::{Run, command};

/// For what has to happen.
pub const LONG: Duration = Duration::from_secs(20);
/// For what must not happen; what is allowed takes a tenth of it.
pub const SHORT: Duration = Duration::from_millis(1200);

/// The script with these arguments.
pub fn make_certificates(folder: &Path, names: &[&str]) -> Run {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/zenoh-certificates");
    let output = Command::new(script).arg(folder).args(names).output();
    Run::of(output.expect("the script runs: it needs bash and openssl"))
}

/// A folder with the certificates of everybody here, and in `other` those of another authority; made once
/// for all tests that run at the same time.
pub fn certificates() -> Arc<TempDir> {
    static SHARED: Mutex<Weak<TempDir>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().expect("nobody panics with it");
    if let Some(folder) = shared.upgrade() {
        return folder;
    }
    let folder = Arc::new(tempfile::tempdir().expect("a folder"));
    let everybody = ["router=127.0.0.1", "planner", "robot", "operator", "guest"];
    let made = make_certificates(folder.path(), &everybody);
    assert_eq!(made.code, 0, "{made:?}");
    let made = make_certificates(&folder.path().join("other"), &["operator"]);
    assert_eq!(made.code, 0, "{made:?}");
    *shared = Arc::downgrade(&folder);
    folder
}

/// What is changed in a file: this text, to that.
pub type Change<'a> = (&'a str, &'a str);

/// A network of its own: the router of `configs/zenoh`, and configurations for who joins it.
pub struct Closed {
    certificates: Arc<TempDir>,
    files: TempDir,
    made: AtomicUsize,
    port: String,
    pub router: Session,
}

impl Closed {
    /// As it is shipped.
    pub fn start() -> Self {
        Self::opened(&[])
    }

    /// With these changes to the router's file.
    pub fn opened(changes: &[Change]) -> Self {
        let certificates = certificates();
        let text = shipped("router.json5", "0", certificates.path(), changes);
        let router = zenoh::open(config(&text)).wait().expect("a router");
        let locators = router.info().locators().wait();
        let [locator] = &locators[..] else {
            panic!("not one endpoint: {locators:?}");
        };
        let address = locator.address().as_str().to_owned();
        Self {
            certificates,
            files: tempfile::tempdir().expect("a folder"),
            made: AtomicUsize::new(0),
            port: address.rsplit(':').next().expect("a port").to_owned(),
            router,
        }
    }

    /// The file of a client with the certificate of this name, and with these changes.
    pub fn client(&self, name: &str, changes: &[Change]) -> PathBuf {
        let own = format!("/{name}.");
        let changes = [&[("/operator.", own.as_str())], changes].concat();
        self.file("client.json5", &changes)
    }

    pub fn file(&self, name: &str, changes: &[Change]) -> PathBuf {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let path = self.files.path().join(format!("{number}.json5"));
        let text = shipped(name, &self.port, self.certificates.path(), changes);
        std::fs::write(&path, text).expect("the folder is there");
        path
    }

    /// Somebody with the certificate of this name, as a node of ROS called `node`.
    pub fn join(&self, name: &str, node: &str) -> Client {
        let network = Network {
            config: Some(self.client(name, &[])),
            ..Network::default()
        };
        Client::join(node, &network, &Identity::default())
            .expect("the router takes the certificate")
    }

    /// The planner, in a process of its own.
    pub fn planner(&self) -> Planner {
        let log = self.files.path().join("planner.log");
        let child = command([
            "serve",
            "--domain",
            "0",
            "-p",
            "source:=search",
            "-p",
            "subscribe_goal_pose:=true",
            "--zenoh-config",
        ])
        .arg(self.file("planner.json5", &[]))
        .stderr(std::fs::File::create(&log).expect("the folder is there"))
        .spawn();
        Planner {
            process: child.expect("the program is there"),
            log,
        }
    }
}

/// A file of `configs/zenoh` with another port, another folder, and changes.
pub fn shipped(name: &str, port: &str, folder: &Path, changes: &[Change]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("configs/zenoh")
        .join(name);
    let text = std::fs::read_to_string(path).expect("it is shipped");
    let (port, folder) = (
        format!("127.0.0.1:{port}"),
        format!("\"{}/", folder.display()),
    );
    let always = [
        ("127.0.0.1:7447", port.as_str()),
        ("\"/etc/zenoh/", &folder),
    ];
    // In this order: changes may name what is in the folder.
    always.iter().chain(changes).fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{name} has no {from}");
        text.replace(from, to)
    })
}

pub fn config(text: &str) -> Config {
    Config::from_json5(text).expect("Zenoh knows all of it")
}

pub fn session(path: &Path) -> zenoh::Result<Session> {
    zenoh::open(Config::from_file(path).expect("Zenoh knows all of it")).wait()
}

pub struct Planner {
    process: Child,
    log: PathBuf,
}

impl Drop for Planner {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let ended = self.process.try_wait();
            let log = std::fs::read_to_string(&self.log);
            println!("the planner: {ended:?}, {}", log.unwrap_or_default());
        }
        // Fails if it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn eventually(patience: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + patience;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
