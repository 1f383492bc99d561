//! iceoryx2, whose queues lie in shared memory as well: publish and subscribe, one to one.
//!
//! A publisher waits for a slow subscriber, but not for one that is not connected yet: then it
//! drops what its buffer has no room for. So both connect before the first message.

use crate::peers::{Load, MAXSIZE, Maker};
use benches::spans::{Span, span, whole};
use iceoryx2::port::update_connections::UpdateConnections;
use iceoryx2::prelude::*;
use multiprocessing::{Barrier, Process};
use serde_bytes::ByteBuf;
use std::hint::black_box;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{process, thread};

type Service =
    iceoryx2::service::port_factory::publish_subscribe::PortFactory<ipc::Service, [u8], ()>;

pub fn iceoryx(load: &Load) -> Option<Duration> {
    if load.producers + load.consumers != 2 {
        return None;
    }
    set_log_level(LogLevel::Error);
    let (name, barrier) = (name(), Barrier::new(2).expect("memory"));
    let start = |work: fn(&Load, &str, &Barrier) -> Span| {
        // SAFETY: the other threads of this program have ended.
        unsafe { Process::fork(|| work(load, &name, &barrier)) }.expect("fork")
    };
    let processes = [start(publish), start(receive)];
    Some(whole(processes.map(|process| process.join().expect("it ends"))))
}

/// Of a service that nobody else has.
fn name() -> String {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    format!("bench-{}-{}", process::id(), time.as_nanos())
}

fn service(name: &str) -> Service {
    let node = NodeBuilder::new().create::<ipc::Service>().expect("a node");
    let service = node.service_builder(&name.try_into().expect("a name"));
    let service = service.publish_subscribe::<[u8]>().enable_safe_overflow(false);
    let service = service.subscriber_max_buffer_size(MAXSIZE).history_size(0);
    service.max_publishers(1).max_subscribers(1).open_or_create().expect("a service")
}

fn publish(load: &Load, name: &str, barrier: &Barrier) -> Span {
    let service = service(name);
    let publisher = service.publisher_builder().initial_max_slice_len(load.size + 8);
    let patient = publisher.backpressure_strategy(BackpressureStrategy::RetryUntilDelivered);
    let publisher = patient.create().expect("a publisher");
    let (maker, mut bytes) = (Maker::new(load.size), Vec::new());
    let mut put = || {
        bytes.clear();
        bytes = postcard::to_extend(&maker.make(), std::mem::take(&mut bytes)).expect("bytes");
        let sample = publisher.loan_slice_uninit(bytes.len()).expect("memory");
        let receivers = sample.write_from_slice(&bytes).send().expect("a subscriber");
        assert_eq!(receivers, 1, "a message was dropped");
    };
    barrier.wait().expect("both are there");
    publisher.update_connections().expect("a connection");
    barrier.wait().expect("the publisher is connected");
    barrier.wait().expect("the subscriber is connected");
    let span = span(|| (0..load.messages).for_each(|_| put()));
    barrier.wait().expect("all is received");
    span
}

/// There is nothing to wait for but a second service, for events: it looks again and again.
fn receive(load: &Load, name: &str, barrier: &Barrier) -> Span {
    let service = service(name);
    let subscriber = service.subscriber_builder().create().expect("a subscriber");
    let get = || {
        loop {
            match subscriber.receive().expect("a publisher") {
                Some(sample) => return postcard::from_bytes(sample.payload()),
                None => thread::yield_now(),
            }
        }
    };
    barrier.wait().expect("both are there");
    barrier.wait().expect("the publisher is connected");
    subscriber.update_connections().expect("a connection");
    barrier.wait().expect("the subscriber is connected");
    let get_one = |_| drop(black_box::<ByteBuf>(get().expect("a message")));
    let span = span(|| (0..load.messages).for_each(get_one));
    barrier.wait().expect("all is received");
    span
}
