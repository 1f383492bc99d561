//! Refused: Three workers should do the tasks, but your program started no child
// Nobody meets anybody.
fn main() {
    for number in 1..=3 {
        println!("{}", number * number);
    }
}
