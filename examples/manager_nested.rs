//! A dictionary of lists: are the lists copies?
//!
//!     cargo run --example manager_nested

use multiprocessing::{DictProxy, Error, ListProxy, Manager};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let manager = Manager::start()?;
    let copies = manager.dict()?;
    copies.insert(1, vec![10])?;
    append_to_copy(&copies)?;
    if let Some(list) = copies.get(&1)? {
        println!("{list:?}");
    }
    let lists = manager.dict()?;
    lists.insert(1, manager.list([10])?)?;
    append_to_list(&lists)?;
    if let Some(list) = lists.get(&1)? {
        println!("{:?}", list.to_vec()?);
    }
    Ok(())
}

type Copies = DictProxy<u32, Vec<u32>>;
type Lists = DictProxy<u32, ListProxy<u32>>;

fn append_to_copy(scores: &Copies) -> Result<(), Error> {
    if let Some(mut list) = scores.get(&1)? {
        list.push(9);
    }
    Ok(())
}

fn append_to_list(scores: &Lists) -> Result<(), Error> {
    if let Some(list) = scores.get(&1)? {
        list.push(9)?;
    }
    Ok(())
}
