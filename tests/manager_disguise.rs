//! What safe code can do to pass a proxy off as another, a proxy as a file or a connection, and a
//! connection as a proxy: no object is ever asked by another kind's request.

#![forbid(unsafe_code)]

use multiprocessing::{
    BarrierProxy, BaseProxy, Connection, Descriptor, DictProxy, Error, EventProxy, ListProxy,
    LockProxy, Manager, NamespaceProxy, QueueProxy, SemaphoreProxy, Sender, Shared, ValueProxy,
    pipe,
};
use serde::ser::{Impossible, SerializeStruct, SerializeTuple};
use serde::{Deserialize, Serialize, Serializer};
use std::any::type_name;
use std::marker::PhantomData;
use std::process::ExitCode;
use tests::cast::{cast, refusal};
use tests::helper;
use tests::{Outcome, trials};

fn main() -> ExitCode {
    let trials = trials![
        a_proxy_is_received_as_nothing_else,
        a_proxy_with_a_false_name_asks_for_nothing,
        a_value_with_a_false_name_is_not_called,
        a_manager_in_disguise_makes_nothing,
        a_proxys_descriptor_is_no_file_and_no_connection,
        a_connection_is_no_proxy,
    ];
    helper::main(trials, &[], &[])
}

fn a_proxy_is_received_as_nothing_else() -> Outcome {
    let manager = Manager::start()?;
    let list = || manager.list([1u32]);
    for said in [
        refusal::<_, ListProxy<String>>(list()?)?,
        refusal::<_, DictProxy<u32, u32>>(list()?)?,
        refusal::<_, Shared<u32>>(list()?)?,
        refusal::<_, LockProxy>(list()?)?,
    ] {
        assert!(said.contains("it is a multiprocessing::manager::list::ListProxy<u32>"), "{said}");
    }
    refusal::<_, Manager>(list()?)?;
    refusal::<_, Descriptor>(list()?)?;
    refusal::<_, Connection<u8, u8>>(list()?)?;
    Ok(())
}

/// Goes with the name of the proxy `As`.
struct Renamed<P, As>(P, PhantomData<As>);

impl<P: Serialize, As> Serialize for Renamed<P, As> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(Inside { serializer, name: Some(type_name::<As>()) })
    }
}

/// Goes as its descriptor alone.
struct Bare<P>(P);

impl<P: Serialize> Serialize for Bare<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(Inside { serializer, name: None })
    }
}

/// Calls the serializer for the last thing in a value, with another name before it or without.
struct Inside<S> {
    serializer: S,
    name: Option<&'static str>,
}

struct Last<S: Serializer> {
    inside: Option<Inside<S>>,
    result: Option<S::Ok>,
    skipped: bool,
}

impl<S: Serializer> Inside<S> {
    fn last(self) -> Last<S> {
        Last { inside: Some(self), result: None, skipped: false }
    }
}

impl<S: Serializer> Last<S> {
    /// The first is skipped.
    fn next<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        if std::mem::replace(&mut self.skipped, true) {
            let inside = self.inside.take().expect("there are two");
            self.result = Some(match inside.name {
                Some(name) => (name, value).serialize(inside.serializer)?,
                None => value.serialize(inside)?,
            });
        }
        Ok(())
    }
}

impl<S: Serializer> SerializeTuple for Last<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.next(value)
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        Ok(self.result.expect("there are two"))
    }
}

impl<S: Serializer> SerializeStruct for Last<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        _: &'static str,
        value: &T,
    ) -> Result<(), S::Error> {
        self.next(value)
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        Ok(self.result.expect("there are two"))
    }
}

macro_rules! unexpected {
    ($($method:ident($($type:ty),*) -> $result:ty;)*) => {$(
        fn $method(self, $(_: $type),*) -> Result<$result, S::Error> {
            unreachable!(stringify!($method))
        }
    )*};
}

impl<S: Serializer> Serializer for Inside<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Impossible<S::Ok, S::Error>;
    type SerializeTuple = Last<S>;
    type SerializeTupleStruct = Impossible<S::Ok, S::Error>;
    type SerializeTupleVariant = Impossible<S::Ok, S::Error>;
    type SerializeMap = Impossible<S::Ok, S::Error>;
    type SerializeStruct = Last<S>;
    type SerializeStructVariant = Impossible<S::Ok, S::Error>;

    fn serialize_tuple(self, _: usize) -> Result<Last<S>, S::Error> {
        Ok(self.last())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Last<S>, S::Error> {
        Ok(self.last())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(self.serializer)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<S::Ok, S::Error> {
        unreachable!("newtype_struct")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<S::Ok, S::Error> {
        unreachable!("some")
    }

    unexpected! {
        serialize_bool(bool) -> S::Ok;
        serialize_i8(i8) -> S::Ok;
        serialize_i16(i16) -> S::Ok;
        serialize_i32(i32) -> S::Ok;
        serialize_i64(i64) -> S::Ok;
        serialize_u8(u8) -> S::Ok;
        serialize_u16(u16) -> S::Ok;
        serialize_u32(u32) -> S::Ok;
        serialize_u64(u64) -> S::Ok;
        serialize_f32(f32) -> S::Ok;
        serialize_f64(f64) -> S::Ok;
        serialize_char(char) -> S::Ok;
        serialize_str(&str) -> S::Ok;
        serialize_bytes(&[u8]) -> S::Ok;
        serialize_none() -> S::Ok;
        serialize_unit() -> S::Ok;
        serialize_unit_struct(&'static str) -> S::Ok;
        serialize_unit_variant(&'static str, u32, &'static str) -> S::Ok;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize)
            -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize)
            -> Self::SerializeStructVariant;
    }
}

/// The proxy as one of another type.
fn disguise<P: Serialize + Clone, As: for<'de> Deserialize<'de>>(proxy: &P) -> Result<As, Error> {
    cast(Renamed(proxy.clone(), PhantomData::<As>))
}

/// Calls the object through every other kind of proxy.
fn ask<P: BaseProxy + Serialize + Clone>(proxy: &P, own: &str) -> Outcome {
    let asked: [(&str, Result<(), Error>); 10] = [
        ("list", disguise::<P, ListProxy<u8>>(proxy)?.len().map(drop)),
        ("dict", disguise::<P, DictProxy<u8, u8>>(proxy)?.insert(1, 1).map(drop)),
        ("queue", disguise::<P, QueueProxy<u8>>(proxy)?.try_put(1).map_err(Error::from)),
        ("namespace", disguise::<P, NamespaceProxy>(proxy)?.set("a", 1)),
        ("value", disguise::<P, ValueProxy<u8>>(proxy)?.set(1)),
        ("lock", disguise::<P, LockProxy>(proxy)?.try_acquire().map(drop)),
        ("semaphore", disguise::<P, SemaphoreProxy>(proxy)?.try_acquire().map(drop)),
        ("event", disguise::<P, EventProxy>(proxy)?.set()),
        ("barrier", disguise::<P, BarrierProxy>(proxy)?.abort()),
        ("own", disguise::<P, Shared<Vec<u8>>>(proxy)?.call(|v, ()| v.push(1), ())),
    ];
    for (kind, answer) in asked {
        match answer {
            answer if kind == own => answer?,
            Err(Error::Decode { .. }) => (),
            other => return Err(format!("{own} as {kind}: {other:?}").into()),
        }
    }
    Ok(())
}

fn a_proxy_with_a_false_name_asks_for_nothing() -> Outcome {
    let manager = Manager::start()?;
    ask(&manager.list([1u8])?, "list")?;
    ask(&manager.dict::<u8, u8>()?, "dict")?;
    ask(&manager.queue::<u8>(0)?, "queue")?;
    ask(&manager.namespace()?, "namespace")?;
    ask(&manager.value(1u8)?, "value")?;
    ask(&manager.lock()?, "lock")?;
    ask(&manager.semaphore(1)?, "semaphore")?;
    ask(&manager.event()?, "event")?;
    ask(&manager.barrier(2)?, "barrier")?;
    ask(&manager.share(vec![1u8])?, "own")
}

fn a_value_with_a_false_name_is_not_called() -> Outcome {
    let manager = Manager::start()?;
    let text = manager.share("text".to_string())?;
    let numbers: Shared<Vec<usize>> = disguise(&text)?;
    let called = numbers.call(|numbers, n| numbers.push(n), 7usize);
    assert!(matches!(called, Err(Error::Decode { .. })), "{called:?}");
    let called = numbers.repair(|numbers, n| numbers.push(n), 7usize);
    assert!(matches!(called, Err(Error::Decode { .. })), "{called:?}");
    let called = numbers.call_when(|numbers, _| numbers.pop(), ());
    assert!(matches!(called, Err(Error::Decode { .. })), "{called:?}");
    manager.register_function("push", |numbers: &mut Vec<usize>, n: usize| numbers.push(n))?;
    let called = text.call_named::<_, ()>("push", 7usize);
    assert!(matches!(called, Err(Error::Decode { .. })), "{called:?}");
    assert_eq!(text.call(|text, ()| text.clone(), ())?, "text");
    Ok(())
}

/// A manager's bytes have no name.
#[derive(Serialize)]
struct Named<P>(&'static str, P);

fn a_manager_in_disguise_makes_nothing() -> Outcome {
    let manager = Manager::start()?;
    let name = type_name::<ListProxy<u8>>();
    let list: ListProxy<u8> = cast(Named(name, manager.clone()))?;
    assert!(matches!(list.len(), Err(Error::Decode { .. })));
    let name = type_name::<Shared<u8>>();
    let own: Shared<u8> = cast(Named(name, manager.clone()))?;
    assert!(matches!(own.call(|n, ()| *n, ()), Err(Error::Decode { .. })));
    // These bytes and the descriptor would be a manager's question for a registered object.
    let name = type_name::<DictProxy<(), Connection<u8, u8>>>();
    let dict: DictProxy<(), Connection<u8, u8>> = cast(Named(name, manager.clone()))?;
    let asked = dict.get_or_insert((), pipe()?.0);
    assert!(matches!(asked, Err(Error::Decode { .. })), "{asked:?}");
    assert_eq!(manager.list([1u8])?.to_vec()?, [1]);
    Ok(())
}

fn a_proxys_descriptor_is_no_file_and_no_connection() -> Outcome {
    let manager = Manager::start()?;
    let list = || manager.list([1u8]);
    assert!(refusal::<_, Descriptor>(Bare(list()?))?.contains("a proxy is not a file"));
    let said = refusal::<_, Connection<u8, u8>>(Bare(list()?))?;
    assert!(said.contains("not an end of a pipe"), "{said}");
    refusal::<_, Sender<u8>>(Bare(list()?))?;
    refusal::<_, multiprocessing::Receiver<[u8; 4]>>(Bare(list()?))?;
    Ok(())
}

fn a_connection_is_no_proxy() -> Outcome {
    let name = type_name::<ListProxy<u8>>();
    let theirs = || pipe::<u8, u8>().map(|(_, theirs)| theirs);
    // A name, a number, the variant of a proxy in this machine, a descriptor.
    let said = refusal::<_, ListProxy<u8>>((name, 5u64, 0u32, theirs()?))?;
    assert!(said.contains("not a proxy's"), "{said}");
    assert!(refusal::<_, Manager>((5u64, 0u32, theirs()?))?.contains("not a proxy's"));
    let file = Descriptor::from(std::fs::File::open("/dev/null")?);
    assert!(refusal::<_, Manager>((5u64, 0u32, file))?.contains("not a proxy's"));
    Ok(())
}
