//! Tells the compiler whether there is a model to ship: `cfg(shipped_model)`.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(shipped_model)");
    // The folder, not the file: a file that does not exist would count as changed in every build.
    println!("cargo::rerun-if-changed=models");
    if std::path::Path::new("models/nav.safetensors").exists() {
        println!("cargo::rustc-cfg=shipped_model");
    }
}
