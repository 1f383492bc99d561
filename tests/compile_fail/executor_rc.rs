use multiprocessing::{Error, Executor, ProcessPoolExecutor};
use std::rc::Rc;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let executor = ProcessPoolExecutor::new(2)?;
    executor.submit(|text: Rc<str>| text.len(), "a".into()).get()?;
    Ok(())
}
