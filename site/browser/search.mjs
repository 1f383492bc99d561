// What a reader types leads to the section that answers: it is among the first
// three. site/keywords.toml has words that a section's text lacks.
import { base, open } from './browser.mjs';

const QUESTIONS = {
  '__main__': ['spawn.html#what-is-the-guard-for', 'spawn.html#the-guard-was-forgotten'],
  'active_children': ['process.html#how-do-i-wait-but-not-for-ever'],
  'AuthenticationError': ['manager.html#what-may-a-guest-with-the-key-do'],
  'authkey': ['manager.html#what-does-the-key-protect'],
  'BaseManager': ['manager.html#how-does-another-machine-get-at-it'],
  'ForkingTCPServer': ['chat.html#what-it-costs'],
  'prefork': ['chat.html#the-other-shapes'],
  'RemoteError KeyError': ['manager.html#how-long-does-an-object-live'],
  'remote manager': ['manager.html#how-does-another-machine-get-at-it'],
  'shared dict': ['manager.html#what-can-it-keep'],
  'SO_REUSEADDR': ['chat.html#the-port-is-still-in-use'],
  'EADDRINUSE': ['chat.html#the-port-is-still-in-use'],
  'SO_REUSEPORT': ['chat.html#a-connection-waits-although-a-worker-is-idle'],
  'print interleaved': ['pool.html#the-lines-of-the-workers-are-mixed'],
  'mp_context': ['executor.html#how-do-the-workers-start'],
  'socket server': ['chat.html#step-2-a-process-for-each'],
  'SyncManager': ['manager.html#what-can-it-keep', 'manager.html#is-that-the-fork-server'],
  'apply_async hangs': ['pool.html#the-pool-hangs-after-an-exception', 'pool.html#why-do-my-tasks-run-one-after-the-other'],
  'as_completed': ['executor.html#which-result-do-i-get-first'],
  'barrier': ['sync.html#wait-for-each-other'],
  'bootstrapping phase': ['spawn.html#the-guard-was-forgotten'],
  'breakpoint': ['project.html#who-wrote-this-line-of-the-log'],
  'BrokenProcessPool': ['executor.html#a-worker-dies'],
  'BrokenPipeError': ['pipe.html#what-to-remember'],
  'BufferError': ['shared_memory.html#a-copy-is-not-a-view'],
  "can't pickle": ['spawn.html#the-argument-that-cannot-be-read', 'spawn.html#my-closure-does-not-compile'],
  'cannot mmap an empty file': ['shared_memory.html#memory-with-a-name'],
  'chunksize': ['pool.html#what-is-a-chunk'],
  'cancel future': ['executor.html#the-task-that-cannot-be-cancelled'],
  'condition variable': ['sync.html#wait-until-a-condition-holds'],
  'cannot pickle queue': ['queue.html#queue-objects-should-only-be-shared-between-processes-through-inheritance'],
  'copy on write': ['fork.html#does-fork-copy-all-my-memory'],
  'daemon process': ['process.html#how-do-i-make-it-end-with-its-parent'],
  'deadlock': ['sync.html#two-locks'],
  'docker stop': ['processes.html#the-process-1-that-does-not-end'],
  'EAGAIN': ['processes.html#what-does-waiting-cost'],
  'EINTR': ['fork.html#how-did-the-child-end'],
  'EOFError': ['pipe.html#how-does-the-receiver-know-that-nothing-more-comes'],
  'event wait': ['sync.html#wait-for-a-signal'],
  'executor deadlock': ['executor.html#a-task-waits-for-another-task'],
  'exit code -9': ['fork.html#how-did-the-child-end', 'process.html#what-can-i-ask-of-a-process'],
  'exitcode': ['fork.html#how-did-the-child-end'],
  'exitcode None': ['process.html#somebody-else-has-reaped-it'],
  'exported pointers': ['shared_memory.html#a-copy-is-not-a-view'],
  'file descriptor': ['fork.html#what-happens-to-open-files'],
  'forkserver': ['spawn.html#the-third-way-a-fork-server'],
  'freeze_support': ['spawn.html#what-is-the-guard-for'],
  'gc.freeze': ['fork.html#does-fork-copy-all-my-memory'],
  'GIL': ['processes.html#threads-or-processes'],
  'got end of file during message': ['pipe.html#from-the-inside-whole-or-not-at-all'],
  'graceful shutdown': ['process.html#the-end-without-a-clean-up'],
  'hang at join': ['process.html#join-never-returns'],
  'imap memory': ['pool.html#may-the-input-be-endless'],
  'is_alive': ['process.html#what-can-i-ask-of-a-process'],
  'joinable queue': ['queue.html#where-are-task_done-and-join'],
  'Jupyter': ['spawn.html#it-worked-with-fork'],
  'maxtasksperchild': ['pool.html#the-memory-of-the-workers-grows'],
  'memory usage': ['processes.html#in-your-own-project'],
  'monotonic clock': ['sync.html#it-hangs-who-waits-for-whom'],
  'nested pool': ['process.html#how-do-i-make-it-end-with-its-parent'],
  'numpy array': ['shared_memory.html#a-copy-is-not-a-view'],
  'orphan': ['fork.html#the-parent-that-ends-first'],
  'os.fork': ['fork.html#the-program'],
  'pickle lock': ['sync.html#lock-objects-should-only-be-shared-between-processes-through-inheritance'],
  'pipe deadlock': ['pipe.html#both-send-first'],
  'pool worker killed': ['pool.html#what-does-one-dead-worker-cost'],
  'print twice': ['fork.html#the-text-that-is-printed-twice'],
  'queue empty': ['queue.html#is-the-queue-empty', 'queue.html#it-was-empty-so-i-stopped'],
  'queue full': ['queue.html#how-much-may-wait'],
  'QueueFeederThread': ['queue.html#the-value-cannot-be-pickled', 'queue.html#is-the-queue-empty'],
  'race condition': ['shared_memory.html#how-an-addition-gets-lost'],
  'resource tracker': ['shared_memory.html#who-removes-the-name-after-a-crash'],
  'resource_sharer': ['pipe.html#a-connection-is-a-value-too'],
  'return value': ['process.html#what-does-the-list-hold'],
  'semaphore': ['sync.html#no-more-than-two-at-a-time'],
  'SemLock': ['spawn.html#it-worked-with-fork', 'sync.html#lock-objects-should-only-be-shared-between-processes-through-inheritance'],
  'send a connection': ['pipe.html#a-connection-is-a-value-too'],
  'shared memory name': ['shared_memory.html#memory-with-a-name'],
  'SIGCHLD': ['process.html#somebody-else-has-reaped-it'],
  'spawn slow': ['spawn.html#what-it-costs'],
  'start method': ['process.html#the-three-start-methods'],
  'Synchronized objects': ['shared_memory.html#the-program'],
  'terminate': ['process.html#the-end-without-a-clean-up'],
  'ThreadPoolExecutor': ['executor.html#are-three-workers-faster-than-one'],
  'timeout join': ['process.html#how-do-i-wait-but-not-for-ever'],
  'track=False': ['shared_memory.html#there-appear-to-be-1-leaked-shared_memory-objects'],
  'ulimit': ['processes.html#what-does-waiting-cost'],
  'Value lock': ['sync.html#the-program'],
  'WNOHANG': ['fork.html#how-did-the-child-end'],
  'zombie': ['fork.html#the-child-that-has-ended-and-is-still-there'],
};

export async function searchByKeyboard() {
  await open(base + 'index.html', {}, async (page, fault) => {
    await page.keyboard.press('s');
    await page.keyboard.type('zombie');
    const found = page.locator('#mdbook-searchresults a').first();
    await found.waitFor({ timeout: 10_000 }).catch(() => fault('search for “zombie” finds nothing'));
  });
}

// As mdBook's script asks, in one page; it is faster than typing.
async function answers(page, question) {
  return page.evaluate(question => {
    window.index ??= elasticlunr.Index.load(window.search.index);
    const found = window.index.search(question, window.search.search_options);
    return found.slice(0, 3).map(({ ref }) => window.search.doc_urls[ref]);
  }, question);
}

export async function questions() {
  await open(base + 'index.html', {}, async (page, fault) => {
    await page.evaluate(() => new Promise((done, failed) => {
      const script = document.createElement('script');
      Object.assign(script, { src: window.path_to_searchindex_js, onload: done, onerror: failed });
      document.head.append(script);
    }));
    for (const [question, sections] of Object.entries(QUESTIONS)) {
      const found = await answers(page, question);
      for (const section of sections.filter(section => !found.includes(section))) {
        fault(`“${question}” does not lead to ${section}, but to ${found.join(', ') || 'nothing'}`);
      }
    }
    const shown = await page.evaluate(() => JSON.stringify(window.search.index.documentStore).includes('multithreading threading'));
    if (shown) fault('the words of keywords.toml would be shown');
  });
}
