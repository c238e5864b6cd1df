"""The tasks of engine/tasks.ts on PyTorch, one thread. Reads one JSON object per line, {network, kind, batch, variant, milliseconds},
and answers with {microseconds}: the processor time of one run, over a stretch of about that many milliseconds. Without a variant it answers {variants}."""
import json
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)
torch.set_num_interop_threads(1)
torch.manual_seed(0)

NETWORKS = {
    'mlp64': dict(input=(4,), actions=2, hidden=64),
    'mlp256': dict(input=(17,), actions=6, hidden=256),
    'minatar': dict(input=(4, 10, 10), actions=6),
    'nature': dict(input=(4, 84, 84), actions=6),
}


class ActorCritic(nn.Module):
    def __init__(self, network, joint_head):
        super().__init__()
        spec = NETWORKS[network]
        self.actions, self.joint_head = spec['actions'], joint_head
        if 'hidden' in spec:
            width = spec['hidden']
            self.torso = nn.Sequential(nn.Linear(spec['input'][0], width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())
        elif network == 'minatar':
            width = 128
            self.torso = nn.Sequential(nn.Conv2d(4, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(1024, width), nn.ReLU())
        else:
            width = 512
            self.torso = nn.Sequential(
                nn.Conv2d(4, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.ReLU(),
                nn.Flatten(), nn.Linear(3136, width), nn.ReLU())
        if joint_head:
            self.head = nn.Linear(width, self.actions + 1)
        else:
            self.policy, self.value = nn.Linear(width, self.actions), nn.Linear(width, 1)

    def forward(self, x):
        h = self.torso(x)
        if self.joint_head:
            out = self.head(h)
            return out[:, :self.actions], out[:, self.actions]
        return self.policy(h), self.value(h)[:, 0]


def variants(network, kind):
    """Every combination of what makes PyTorch faster on some of the tasks."""
    heads = ['joint', 'separate']
    formats = ['channels_last', 'contiguous'] if network in ('minatar', 'nature') else ['contiguous']
    optimisers = ['fused', 'foreach'] if kind == 'update' else ['-']
    return [f'{h},{f},{o}' for h in heads for f in formats for o in optimisers]


def prepare(network, kind, batch, variant):
    head, layout, optimiser = variant.split(',')
    net = ActorCritic(network, head == 'joint')
    shape = NETWORKS[network]['input']
    x = torch.rand(batch, *shape) * 4 - 2 if len(shape) == 1 else (torch.rand(batch, *shape) < 0.2).float()
    if layout == 'channels_last':
        net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    if kind == 'inference':
        def run():
            with torch.inference_mode():
                logits, value = net(x)
                logits.numpy()
                value.numpy()
        return run
    parameters = list(net.parameters())
    adam = torch.optim.Adam(parameters, 3e-4, fused=optimiser == 'fused', foreach=optimiser == 'foreach')
    actions = torch.randint(0, NETWORKS[network]['actions'], (batch, 1))
    advantages, returns = torch.rand(batch) * 2 - 1, torch.rand(batch) * 2 - 1

    def run():
        logits, value = net(x)
        log_policy = torch.log_softmax(logits, -1)
        policy_loss = -(log_policy.gather(1, actions)[:, 0] * advantages).mean()
        entropy = -(log_policy.exp() * log_policy).sum(1).mean()
        loss = policy_loss + 0.5 * nn.functional.mse_loss(value, returns) - 0.01 * entropy
        adam.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 0.5, foreach=True)
        adam.step()
    return run


def measure(run, milliseconds, count):
    start = time.process_time()
    for _ in range(count):
        run()
    return (time.process_time() - start) * 1e6 / count


def main():
    prepared = {}
    print(json.dumps(dict(version=torch.__version__, capability=torch.backends.cpu.get_cpu_capability())), flush=True)
    for line in sys.stdin:
        ask = json.loads(line)
        key = (ask['network'], ask['kind'], ask['batch'])
        if 'variant' not in ask:
            print(json.dumps(dict(variants=variants(*key[:2]))), flush=True)
            continue
        key += (ask['variant'],)
        if key not in prepared:
            run = prepare(*key)
            for _ in range(5):
                run()
            once = measure(run, 0, 3)
            prepared[key] = run, max(1, round(ask['milliseconds'] * 1e3 / once))
        run, count = prepared[key]
        microseconds = measure(run, ask['milliseconds'], count)
        prepared[key] = run, max(1, round(ask['milliseconds'] * 1e3 / microseconds))
        print(json.dumps(dict(microseconds=microseconds)), flush=True)


main()
