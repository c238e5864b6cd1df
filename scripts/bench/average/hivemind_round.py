"""Rounds of hivemind between processes of this machine: `python hivemind_round.py PEERS FLOATS`. Says {hivemind, torch} once all are connected; then,
for each line on stdin, gives every peer new independent values and answers {milliseconds, together}: from the first call of `step` until the last has
returned, and whether all were averaged in one group. Averagers ask for groups of all peers; everything else is hivemind's default but the wait for
more peers (2 s instead of 5), which full groups do not take."""
import json
import multiprocessing as mp
import sys
import time


def peer(index, count, floats, addresses, barrier, answers):
    import hivemind
    import torch

    mp.set_start_method('fork', force=True)
    torch.set_num_threads(1)
    dht = hivemind.DHT(initial_peers=addresses, start=True, host_maddrs=['/ip4/127.0.0.1/tcp/0'], startup_timeout=60)
    random = torch.Generator().manual_seed(index)
    averager = hivemind.averaging.DecentralizedAverager(
        [torch.zeros(floats)], dht, prefix='bench', target_group_size=count, min_matchmaking_time=2.0, start=True
    )
    while True:
        with averager.get_tensors() as (mine,):
            mine[...] = torch.randn(floats, generator=random)
        barrier.wait()
        begun = time.monotonic()
        group = averager.step(timeout=60)
        answers.put((begun, time.monotonic(), 0 if group is None else len(group)))


def main(count, floats):
    spawning = mp.get_context('spawn')
    barrier, answers = spawning.Barrier(count + 1), spawning.Queue()
    import hivemind
    import torch

    root = hivemind.DHT(start=True, host_maddrs=['/ip4/127.0.0.1/tcp/0'])
    addresses = [str(address) for address in root.get_visible_maddrs()]
    peers = [
        spawning.Process(target=peer, args=(index, count, floats, addresses, barrier, answers), daemon=False) for index in range(count)
    ]
    for each in peers:
        each.start()
    while barrier.n_waiting < count:
        time.sleep(0.1)
    print(json.dumps({'hivemind': hivemind.__version__, 'torch': torch.__version__}), flush=True)
    for _ in sys.stdin:
        while barrier.n_waiting < count:
            time.sleep(0.01)
        barrier.wait()
        times = [answers.get() for _ in peers]
        milliseconds = 1e3 * (max(ended for _, ended, _ in times) - min(begun for begun, _, _ in times))
        print(json.dumps({'milliseconds': milliseconds, 'together': all(group == count for _, _, group in times)}), flush=True)
    for each in peers:
        each.terminate()
    root.shutdown()


if __name__ == '__main__':
    main(int(sys.argv[1]), int(sys.argv[2]))
