fn main() {
    println!("{}", nix::unistd::getpid());
}
