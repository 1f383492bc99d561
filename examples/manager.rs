//! Two processes work on one list, which a third one keeps.
//!
//!     cargo run --example manager

use multiprocessing::{Error, ListProxy, Manager, Process};

type Record = (String, u32);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let manager = Manager::start()?;
    let records = manager.list([
        ("Sam".to_string(), 10),
        ("Adam".to_string(), 9),
        ("Kevin".to_string(), 9),
    ])?;
    let record = ("Jeff".to_string(), 8);
    let args = (record, records.clone());
    let p1 = Process::spawn(insert_record, args)?;
    p1.join()??;
    let p2 = Process::spawn(print_records, records)?;
    p2.join()?
}

fn insert_record(
    (record, records): (Record, ListProxy<Record>),
) -> Result<(), Error> {
    records.push(record)?;
    println!("New record added!");
    Ok(())
}

fn print_records(
    records: ListProxy<Record>,
) -> Result<(), Error> {
    for (name, score) in records.to_vec()? {
        println!("Name: {name}\nScore: {score}");
    }
    Ok(())
}
