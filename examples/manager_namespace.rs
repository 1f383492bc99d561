//! Named values of different types.
//!
//!     cargo run --example manager_namespace

use multiprocessing::{
    Error, Manager, NamespaceProxy, Process,
};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let manager = Manager::start()?;
    // ANCHOR: set
    let settings = manager.namespace()?;
    settings.set("rounds", 3)?;
    settings.set("title", "Ten past two")?;
    // ANCHOR_END: set
    Process::spawn(change, settings.clone())?.join()??;
    // ANCHOR: get
    let rounds = settings.get::<i32>("rounds")?;
    let title = settings.get::<String>("title")?;
    if let (Some(rounds), Some(title)) = (rounds, title) {
        println!("{rounds} rounds, {title:?}");
    }
    println!("{:?}", settings.get::<i32>("rond")?);
    // ANCHOR_END: get
    Ok(())
}

// ANCHOR: change
fn change(settings: NamespaceProxy) -> Result<(), Error> {
    settings.set("rounds", 4)
}
// ANCHOR_END: change
