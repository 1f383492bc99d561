//! Refused: A child should print “task 1 waits”, but it was printed by your program
// Nobody meets anybody.
fn main() {
    (1..=3).for_each(|number| println!("task {number} waits"));
    (1..=3).for_each(|number| println!("{}", number * number));
}
