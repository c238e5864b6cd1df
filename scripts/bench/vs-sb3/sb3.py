"""Stable-Baselines3 with the zoo's settings on CartPole-v1, one thread. Reads one JSON object per line and answers with one.

{algorithm: "ppo" | "a2c", seed, steps, every} trains. After every `every` steps it answers {steps, cpuSeconds, seconds, layers, probe} and waits
for {go}: true to go on, false to stop. `layers` are the policy's, input first, each {weights: [inputs][units], bias: [units]}; `probe`
holds an observation and the logits for it. It ends with {done: true, steps, cpuSeconds, seconds}.
{algorithm: "dqn", seed, from, steps} trains and answers {steps, cpuSeconds, seconds} of the steps after the first `from`.
Both kinds of seconds leave out what happens between an answer and the next line read."""
import json
import sys
import time

import gymnasium
import numpy
import stable_baselines3
import torch
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env

torch.set_num_threads(1)
torch.set_num_interop_threads(1)

ENVIRONMENT = 'CartPole-v1'


def linear(initial):
    return lambda left: left * initial


# rl-zoo3: hyperparams/{ppo,a2c,dqn}.yml
PPO_SETTINGS = dict(
    n_steps=32, batch_size=256, gae_lambda=0.8, gamma=0.98, n_epochs=20, ent_coef=0.0, learning_rate=linear(0.001), clip_range=linear(0.2))
A2C_SETTINGS = dict(ent_coef=0.0)
DQN_SETTINGS = dict(
    learning_rate=2.3e-3, batch_size=64, buffer_size=100000, learning_starts=1000, gamma=0.99, target_update_interval=10, train_freq=256,
    gradient_steps=128, exploration_fraction=0.16, exploration_final_eps=0.04, policy_kwargs=dict(net_arch=[256, 256]))
ENVIRONMENTS = 8


def answer(value):
    print(json.dumps(value), flush=True)


class Watch:
    """Processor and wall seconds since it was made, without what ran between `pause` and `resume`."""

    def __init__(self):
        self.begin = (time.process_time(), time.perf_counter())

    def seconds(self):
        return dict(cpuSeconds=time.process_time() - self.begin[0], seconds=time.perf_counter() - self.begin[1])

    def pause(self):
        self.paused = (time.process_time(), time.perf_counter())

    def resume(self):
        self.begin = (
            self.begin[0] + time.process_time() - self.paused[0], self.begin[1] + time.perf_counter() - self.paused[1])


def layers(policy):
    linears = [m for m in policy.mlp_extractor.policy_net if isinstance(m, torch.nn.Linear)] + [policy.action_net]
    return [dict(weights=m.weight.detach().numpy().T.tolist(), bias=m.bias.detach().numpy().tolist()) for m in linears]


def probe(policy):
    observation = numpy.array([0.1, -0.4, 0.05, 0.3], dtype=numpy.float32)
    with torch.no_grad():
        logits = policy.action_net(policy.mlp_extractor.forward_actor(torch.from_numpy(observation)[None]))
    return dict(observation=observation.tolist(), logits=logits[0].tolist())


class Exports(BaseCallback):
    """Hands the weights over before the first rollout after every `every` steps: those of whole updates, as an evaluation would see them."""

    def __init__(self, every):
        super().__init__()
        self.every, self.next, self.going = every, every, True
        self.watch = Watch()

    def _on_rollout_start(self):
        if self.num_timesteps >= self.next:
            self.export()

    def _on_step(self):
        return self.going

    def _on_training_end(self):
        if self.going and self.num_timesteps >= self.next:
            self.export()

    def export(self):
        self.watch.pause()
        policy = self.model.policy
        seconds = dict(
            cpuSeconds=self.watch.paused[0] - self.watch.begin[0], seconds=self.watch.paused[1] - self.watch.begin[1])
        answer(dict(steps=self.num_timesteps, **seconds, layers=layers(policy), probe=probe(policy)))
        self.going = json.loads(sys.stdin.readline())['go']
        self.next += self.every
        self.watch.resume()


class Marks(BaseCallback):
    """Starts the watch once `first` steps are done."""

    def __init__(self, first):
        super().__init__()
        self.first, self.watch = first, None

    def _on_rollout_start(self):
        if self.watch is None and self.num_timesteps >= self.first:
            self.watch, self.begun = Watch(), self.num_timesteps

    def _on_step(self):
        return True


def train(task):
    environment = make_vec_env(ENVIRONMENT, ENVIRONMENTS, seed=task['seed'])
    make, settings = (PPO, PPO_SETTINGS) if task['algorithm'] == 'ppo' else (A2C, A2C_SETTINGS)
    model = make('MlpPolicy', environment, seed=task['seed'], device='cpu', **settings)
    exports = Exports(task['every'])
    model.learn(task['steps'], callback=exports)
    answer(dict(done=True, steps=model.num_timesteps, **exports.watch.seconds()))


def speed(task):
    environment = make_vec_env(ENVIRONMENT, 1, seed=task['seed'])
    model = DQN('MlpPolicy', environment, seed=task['seed'], device='cpu', **DQN_SETTINGS)
    marks = Marks(task['from'])
    model.learn(task['from'] + task['steps'], callback=marks)
    answer(dict(steps=model.num_timesteps - marks.begun, **marks.watch.seconds()))


def versions():
    return dict(sb3=stable_baselines3.__version__, torch=torch.__version__, gymnasium=gymnasium.__version__, python=sys.version.split()[0])


answer(versions())
for line in sys.stdin:
    task = json.loads(line)
    if task['algorithm'] == 'dqn':
        speed(task)
    else:
        train(task)
