//! What a manager's lists, dictionaries, namespaces and values do, here, in a child, in a pool, and
//! inside each other.

use multiprocessing::{
    BarrierProxy, Connection, DictProxy, Error, EventProxy, ListProxy, Manager, NamespaceProxy,
    Pool, Process, QueueProxy, SemaphoreProxy, ValueProxy, pipe,
};
use std::process::ExitCode;
use tests::even::Even;
use tests::helper::{self, elsewhere, join};
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_list_does_what_a_vec_does,
        a_list_refuses_what_is_out_of_range,
        slices_end_where_the_list_ends,
        updates_of_a_list_are_one_step,
        an_iteration_sees_changes_and_ends_once,
        a_dict_does_what_a_map_does,
        a_dict_is_sorted_by_nothing_but_has_all,
        updates_of_a_key_are_one_step,
        a_namespace_has_values_of_any_types,
        updates_of_a_value_are_one_step,
        a_message_of_another_type_is_an_error,
        a_pool_shares_objects,
        a_child_works_on_what_its_parent_made,
        objects_inside_objects,
        an_object_in_a_container_needs_no_other_proxy,
        what_cannot_be_encoded_changes_nothing,
        a_type_whose_keys_are_of_another_type,
        proxies_tell_their_type,
    ];
    helper::main(trials, &[], &[])
}

fn a_list_does_what_a_vec_does() -> Outcome {
    let manager = Manager::start()?;
    let list = manager.list(["b".to_string()])?;
    list.push("d".into())?;
    list.insert(0, "a".into())?;
    list.insert(3, "e".into())?;
    list.extend(["f".to_string(), "g".to_string()])?;
    list.set(3, "c".into())?;
    list.swap(2, 3)?;
    assert_eq!(list.to_vec()?, ["a", "b", "c", "d", "f", "g"]);
    assert_eq!((list.len()?, list.is_empty()?), (6, false));
    assert_eq!((list.get(1)?, list.get(6)?), (Some("b".into()), None));
    assert_eq!((list.position(&"d".into())?, list.contains(&"x".into())?), (Some(3), false));
    assert_eq!((list.pop()?, list.remove(1)?), (Some("g".into()), "b".into()));
    list.reverse()?;
    assert_eq!(list.iter().collect::<Result<Vec<_>, _>>()?, ["f", "d", "c", "a"]);
    let push = |list: ListProxy<String>| list.push("z".into());
    elsewhere(push, list.clone())??;
    assert_eq!(list.pop()?, Some("z".into()));
    list.clear()?;
    assert!(list.is_empty()? && list.pop()?.is_none() && list.to_vec()?.is_empty());
    Ok(())
}

fn a_list_refuses_what_is_out_of_range() -> Outcome {
    let manager = Manager::start()?;
    let list = manager.list([1, 2])?;
    let refused = [
        list.set(2, 0),
        list.insert(3, 0),
        list.swap(0, 2),
        list.swap(usize::MAX, 0),
        list.remove(2).map(drop),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(Error::OutOfRange { length: 2, .. })), "{refused:?}");
    }
    assert_eq!(list.to_vec()?, [1, 2]);
    Ok(())
}

fn slices_end_where_the_list_ends() -> Outcome {
    use std::ops::Bound::{Excluded, Included};
    let manager = Manager::start()?;
    let list = manager.list(0..5)?;
    assert_eq!(list.slice(1..3)?, [1, 2]);
    assert_eq!(list.slice(3..100)?, [3, 4]);
    assert_eq!(list.slice(..=1)?, [0, 1]);
    assert_eq!(list.slice(..=usize::MAX)?, [0, 1, 2, 3, 4]);
    assert_eq!(list.slice((Excluded(2), Included(3)))?, [3]);
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is tried")]
    let reversed = list.slice(4..2)?;
    assert!(reversed.is_empty() && list.slice(9..)?.is_empty());
    assert!(list.slice((Excluded(usize::MAX), Excluded(0)))?.is_empty());
    Ok(())
}

fn updates_of_a_list_are_one_step() -> Outcome {
    let manager = Manager::start()?;
    let list = manager.list([0u32, 0])?;
    let add = |list: ListProxy<u32>| -> Result<(), Error> {
        (0..50).try_for_each(|_| {
            list.update(|list| {
                list[0] += 1;
                list[1] = list[0];
            })
        })
    };
    let child = Process::spawn(add, list.clone())?;
    add(list.clone())?;
    join(child)??;
    assert_eq!(list.to_vec()?, [100, 100]);
    assert_eq!(list.update(|list| list.len())?, 2);
    Ok(())
}

fn an_iteration_sees_changes_and_ends_once() -> Outcome {
    let manager = Manager::start()?;
    let list = manager.list(0..10)?;
    let mut numbers = list.iter();
    list.set(0, 100)?;
    assert_eq!(numbers.next().transpose()?, Some(100));
    assert_eq!(numbers.by_ref().collect::<Result<Vec<_>, _>>()?, (1..10).collect::<Vec<_>>());
    list.extend([10, 11])?;
    assert!(numbers.next().is_none(), "it has ended");
    Ok(())
}

fn a_dict_does_what_a_map_does() -> Outcome {
    let manager = Manager::start()?;
    let dict = manager.dict::<String, u32>()?;
    assert_eq!((dict.insert("a".into(), 1)?, dict.insert("a".into(), 2)?), (None, Some(1)));
    assert_eq!(
        (dict.get("a")?, dict.get("b")?, dict.get(&"a".to_string())?),
        (Some(2), None, Some(2))
    );
    assert_eq!((dict.get_or_insert("a".into(), 9)?, dict.get_or_insert("b".into(), 9)?), (2, 9));
    dict.extend([("c".to_string(), 3), ("a".to_string(), 4)])?;
    assert!(dict.contains_key("c")? && !dict.contains_key("d")?);
    assert_eq!((dict.len()?, dict.remove("b")?, dict.remove("b")?), (3, Some(9), None));
    let insert = |dict: DictProxy<String, u32>| dict.insert("e".into(), 5);
    assert_eq!(elsewhere(insert, dict.clone())??, None);
    let mut all = dict.to_vec()?;
    all.sort();
    assert_eq!(all, [("a".into(), 4), ("c".into(), 3), ("e".into(), 5)]);
    let mut values = dict.values()?;
    values.sort();
    assert_eq!(values, [3, 4, 5]);
    dict.clear()?;
    assert!(dict.is_empty()? && dict.keys()?.is_empty() && dict.values()?.is_empty());
    Ok(())
}

fn a_dict_is_sorted_by_nothing_but_has_all() -> Outcome {
    let manager = Manager::start()?;
    let dict = manager.dict::<(i64, Option<char>), ()>()?;
    let keys: Vec<_> = (-200..200).map(|n| (n * 1_000_003, char::from_u32(n as u32))).collect();
    dict.extend(keys.iter().map(|key| (*key, ())))?;
    let mut found = dict.keys()?;
    found.sort();
    assert_eq!(found, keys);
    assert_eq!(dict.values()?.len(), 400);
    Ok(())
}

fn updates_of_a_key_are_one_step() -> Outcome {
    let manager = Manager::start()?;
    let dict = manager.dict::<String, u32>()?;
    let add = |dict: DictProxy<String, u32>| -> Result<(), Error> {
        (0..100).try_for_each(|_| dict.update("n".into(), |n| Some(n.unwrap_or(0) + 1)))
    };
    let child = Process::spawn(add, dict.clone())?;
    add(dict.clone())?;
    join(child)??;
    assert_eq!(dict.get("n")?, Some(200));
    dict.update("n".into(), |_| None)?;
    dict.update("m".into(), |m| m)?;
    assert!(dict.is_empty()?);
    Ok(())
}

fn a_namespace_has_values_of_any_types() -> Outcome {
    let manager = Manager::start()?;
    let names = manager.namespace()?;
    names.set("size", 10u8)?;
    names.set("title", "ten")?;
    names.set("self", names.clone())?;
    let read = |names: NamespaceProxy| -> Result<(Option<u8>, Option<String>), Error> {
        names.set("read", true)?;
        Ok((names.get("size")?, names.get("title")?))
    };
    assert_eq!(elsewhere(read, names.clone())??, (Some(10), Some("ten".into())));
    assert_eq!(names.names()?, ["read", "self", "size", "title"]);
    assert!(matches!(names.get::<String>("size"), Err(Error::Decode { .. })));
    assert!(matches!(names.get::<i8>("size"), Err(Error::Decode { .. })), "the bytes would fit");
    assert_eq!(names.get::<u8>("none")?, None);
    let itself: NamespaceProxy = names.get("self")?.ok_or("it is there")?;
    assert!(itself.remove("self")? && !names.remove("self")?);
    assert!(names.get::<NamespaceProxy>("self")?.is_none());
    Ok(())
}

fn updates_of_a_value_are_one_step() -> Outcome {
    let manager = Manager::start()?;
    let value = manager.value((0u32, String::new()))?;
    let add = |value: ValueProxy<(u32, String)>| -> Result<(), Error> {
        (0..100).try_for_each(|_| value.update(|(n, text)| (*n += 1, text.push('x'))).map(drop))
    };
    let child = Process::spawn(add, value.clone())?;
    add(value.clone())?;
    join(child)??;
    assert_eq!(value.get()?, (200, "x".repeat(200)));
    value.set((1, "y".into()))?;
    assert_eq!(value.update(|(n, _)| *n)?, 1);
    Ok(())
}

fn a_message_of_another_type_is_an_error() -> Outcome {
    let manager = Manager::start()?;
    let bytes = manager.queue::<u8>(0)?;
    manager.register("queue", &bytes)?;
    manager.registered::<QueueProxy<u8>>("queue")?.put(200)?;
    let failed = manager.registered::<QueueProxy<String>>("queue").err().ok_or("it was found")?;
    assert!(failed.to_string().contains("QueueProxy<u8>"), "{failed}");
    manager.register_function("add", |sum: &mut u32, n: u32| *sum += n)?;
    let sum = manager.share(40u32)?;
    let failed = sum.call_named::<i32, ()>("add", 2).err().ok_or("it was called")?;
    assert!(failed.to_string().contains("takes u32"), "{failed}");
    sum.call_named::<u32, ()>("add", 2)?;
    assert_eq!((sum.call(|sum, ()| *sum, ())?, bytes.len()?), (42, 1));
    let failed = tests::cast::refusal::<_, QueueProxy<String>>(bytes)?;
    assert!(failed.contains("QueueProxy<u8>"), "{failed}");
    Ok(())
}

fn a_pool_shares_objects() -> Outcome {
    let manager = Manager::start()?;
    let (list, dict) = (manager.list::<u32>([])?, manager.dict::<u32, u32>()?);
    let work = |(n, list, dict): (u32, ListProxy<u32>, DictProxy<u32, u32>)| {
        list.push(n).expect("the server runs");
        dict.insert(n, n * n).expect("the server runs");
        list
    };
    let pool = Pool::new(3)?;
    let back = pool.map(work, (0..20).map(|n| (n, list.clone(), dict.clone())))?;
    assert_eq!(back[0].len()?, 20);
    let mut all = list.to_vec()?;
    all.sort();
    assert_eq!(all, (0..20).collect::<Vec<_>>());
    assert_eq!((dict.len()?, dict.get(&19)?), (20, Some(361)));
    Ok(())
}

fn objects_inside_objects() -> Outcome {
    let manager = Manager::start()?;
    let lists = manager.list([manager.list([1])?, manager.list([2])?])?;
    lists.push(manager.list::<i32>([])?)?;
    let first = lists.get(0)?.ok_or("it is there")?;
    lists.get(2)?.ok_or("it is there")?.extend([7, 8])?;
    lists.get(0)?.ok_or("it is there")?.push(9)?;
    assert_eq!(first.to_vec()?, [1, 9]);
    assert_eq!(lists.position(&first)?, Some(0));
    let lengths = |lists: ListProxy<ListProxy<i32>>| -> Result<Vec<usize>, Error> {
        lists.iter().map(|list| list?.len()).collect()
    };
    assert_eq!(elsewhere(lengths, lists.clone())??, [2, 1, 2]);
    lists.clear()?;
    assert_eq!(first.len()?, 2);
    let other = Manager::start()?;
    let dict = other.dict::<u8, ListProxy<i32>>()?; // an object of one manager in another
    dict.insert(1, first)?;
    assert_eq!(dict.get(&1)?.ok_or("it is there")?.to_vec()?, [1, 9]);
    Ok(())
}

fn an_object_in_a_container_needs_no_other_proxy() -> Outcome {
    type Stock = DictProxy<String, u32>;
    let manager = Manager::start()?;
    let (pets, supplies): (Stock, Stock) = (manager.dict()?, manager.dict()?);
    pets.extend([("ferrets".into(), 2), ("hamsters".into(), 4)])?;
    supplies.insert("water".into(), 10)?;
    let shop = manager.dict::<String, Stock>()?;
    shop.extend([("pets".into(), pets), ("supplies".into(), supplies.clone())])?;
    shop.get("supplies")?.ok_or("it is there")?.insert("water".into(), 7)?;
    assert_eq!(supplies.get("water")?, Some(7));
    drop(supplies);
    let (pets, supplies) = (shop.get("pets")?, shop.get("supplies")?);
    let (pets, supplies) = (pets.ok_or("it is there")?, supplies.ok_or("it is there")?);
    shop.clear()?;
    assert_eq!((pets.get("hamsters")?, supplies.get("water")?), (Some(4), Some(7)));
    let queues = manager.list([manager.queue(0)?])?;
    queues.get(0)?.ok_or("it is there")?.put(123)?;
    assert_eq!(queues.get(0)?.ok_or("it is there")?.get()?, 123);
    Ok(())
}

/// As in CPython's `TestSyncManagerTypes`.
fn a_child_works_on_what_its_parent_made() -> Outcome {
    type All = (EventProxy, SemaphoreProxy, BarrierProxy, QueueProxy<u32>, ListProxy<u32>);
    let work = |(event, permits, barrier, queue, list): All| -> Result<(), Error> {
        event.wait()?;
        event.clear()?;
        permits.acquire()?.forget()?;
        assert!(barrier.parties()? == 5 && barrier.is_broken()?);
        barrier.reset()?;
        assert_eq!((queue.len()?, queue.is_full()?, queue.is_empty()?), (2, true, false));
        assert_eq!((queue.get()?, queue.get()?, queue.is_empty()?), (5, 6, true));
        list.update(|list| list.sort())?;
        assert_eq!((list.position(&5)?, list.remove(0)?), (Some(0), 5));
        Ok(())
    };
    let manager = Manager::start()?;
    let (event, permits) = (manager.event()?, manager.bounded_semaphore(1)?);
    let (barrier, queue, list) = (manager.barrier(5)?, manager.queue(2)?, manager.list([6, 5])?);
    event.set()?;
    barrier.abort()?;
    queue.put(5)?;
    queue.put(6)?;
    let all = (event.clone(), permits.clone(), barrier.clone(), queue.clone(), list.clone());
    elsewhere(work, all)??;
    assert!(!event.is_set()? && !barrier.is_broken()? && queue.is_empty()?);
    permits.release()?;
    assert!(matches!(permits.release(), Err(Error::TooManyPermits { .. })));
    assert_eq!(list.to_vec()?, [6]);
    Ok(())
}

fn what_cannot_be_encoded_changes_nothing() -> Outcome {
    let manager = Manager::start()?;
    let (list, value) = (manager.list([Even(2)])?, manager.value(Even(2))?);
    let dict = manager.dict::<Even2, Even>()?;
    let refused = [
        list.push(Even(13)),
        list.set(0, Even(13)),
        list.extend([Even(4), Even(13)]),
        list.update(|list| list.push(Even(13))),
        value.set(Even(13)),
        value.update(|value| *value = Even(13)),
        dict.insert(2, Even(13)).map(drop),
        dict.update(2, |_| Some(Even(13))),
        manager.value(Even(13)).map(drop),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(Error::Encode { .. })), "{refused:?}");
    }
    assert_eq!((list.to_vec()?, value.get()?, dict.len()?), (vec![Even(2)], Even(2), 0));
    Ok(())
}

type Even2 = u32;

fn a_type_whose_keys_are_of_another_type() -> Outcome {
    let manager = Manager::start()?;
    let (_ours, theirs) = pipe::<u8, u8>()?;
    let dict = manager.dict::<DictKey, u8>()?;
    assert!(matches!(dict.insert(DictKey(theirs), 1), Err(Error::Encode { .. })));
    assert!(dict.is_empty()?);
    Ok(())
}

#[derive(serde::Serialize, serde::Deserialize)]
struct DictKey(Connection<u8, u8>);

fn proxies_tell_their_type() -> Outcome {
    let manager = Manager::start()?;
    let list = manager.list([1])?;
    let (one, other) = (format!("{list:?}"), format!("{:?}", manager.list([1])?));
    assert!(one.starts_with("ListProxy { object: "), "{one}");
    assert_eq!(one, format!("{:?}", list.clone()));
    assert_ne!(one, other);
    assert!(format!("{manager:?}").contains("Manager"));
    Ok(())
}
