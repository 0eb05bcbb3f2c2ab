//! Examples are embedded, and a file that is added to them must be noticed.

fn main() {
    println!("cargo::rerun-if-changed=../../examples");
}
