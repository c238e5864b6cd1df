/**
 * Every training statistic that a learner reports: its name, what it means, and its unit. Names are Stable-Baselines3's where it has one, else
 * CleanRL's (`losses/...`); policy lag and sample age are what Sample Factory watches. Glossaries are made from this table.
 */
import type { AlgorithmId } from './hyperparameters.ts'

export interface StatisticSpec {
  readonly meaning: string
  readonly unit: string
  /** Who reports it; all where absent. */
  readonly algorithms?: readonly AlgorithmId[]
  /** What CleanRL calls it. */
  readonly cleanRl?: string
}

const ACTOR_CRITICS = ['a2c', 'a3c', 'impala', 'ppo'] as const satisfies readonly AlgorithmId[]
const UNCLIPPED = ['a2c', 'a3c', 'impala'] as const satisfies readonly AlgorithmId[]
const THREADED = ['a3c', 'apex', 'impala'] as const satisfies readonly AlgorithmId[]

export const STATISTICS: Readonly<Record<string, StatisticSpec>> = {
  'rollout/ep_rew_mean': {
    meaning: 'mean raw return of the last 100 training episodes; of apex: those of the third of its environments that explores least',
    unit: 'reward',
    cleanRl: 'charts/episodic_return',
  },
  'rollout/ep_len_mean': { meaning: 'mean length of those episodes', unit: 'steps', cleanRl: 'charts/episodic_length' },
  'rollout/exploration_rate': {
    meaning: 'mean epsilon over the environments: the share of random actions',
    unit: 'fraction',
    algorithms: ['apex'],
    cleanRl: 'charts/epsilon',
  },
  'train/n_updates': { meaning: 'optimiser steps of this peer', unit: 'updates' },
  'train/skipped_updates': { meaning: 'updates left out because their loss or gradient was not finite', unit: 'updates' },
  'train/learning_rate': {
    meaning: 'where the schedule stands, times the factor that the number of peers gives',
    unit: '1',
    cleanRl: 'charts/learning_rate',
  },
  'train/gradient_norm': { meaning: 'Euclidean norm of the gradient before it is clipped', unit: '1' },
  'train/policy_loss': { meaning: 'policy-gradient loss', unit: '1', algorithms: UNCLIPPED, cleanRl: 'losses/policy_loss' },
  'train/policy_gradient_loss': { meaning: 'clipped surrogate loss', unit: '1', algorithms: ['ppo'], cleanRl: 'losses/policy_loss' },
  'train/value_loss': {
    meaning: 'mean squared error of the values, without its coefficient',
    unit: 'return^2',
    algorithms: ACTOR_CRITICS,
    cleanRl: 'losses/value_loss',
  },
  'train/entropy_loss': {
    meaning: 'minus the mean entropy of the policy: rises towards 0 as it decides',
    unit: 'nats',
    algorithms: ACTOR_CRITICS,
    cleanRl: 'losses/entropy (minus this)',
  },
  'train/explained_variance': {
    meaning: 'share of the variance of the value targets that the values explain: 1 is perfect, 0 as good as their mean, below 0 worse',
    unit: 'fraction',
    algorithms: ACTOR_CRITICS,
    cleanRl: 'losses/explained_variance',
  },
  'train/std': { meaning: 'mean standard deviation of a continuous policy', unit: 'action', algorithms: ACTOR_CRITICS },
  'train/approx_kl': {
    meaning: 'estimated divergence from the policy that acted to that of now; large: its samples are stale',
    unit: 'nats',
    algorithms: ['impala', 'ppo'],
    cleanRl: 'losses/approx_kl',
  },
  'train/clip_fraction': {
    meaning: 'share of samples whose ratio left the clip range',
    unit: 'fraction',
    algorithms: ['ppo'],
    cleanRl: 'losses/clipfrac',
  },
  'train/clip_range': { meaning: 'epsilon of the clipped surrogate, where its schedule stands', unit: '1', algorithms: ['ppo'] },
  'train/epochs': {
    meaning: 'times the last rollout was gone through, fewer where targetKl ended it',
    unit: 'epochs',
    algorithms: ['ppo'],
  },
  'train/loss': {
    meaning: 'of ppo the whole loss; of apex the weighted Huber loss of its errors',
    unit: '1',
    algorithms: ['apex', 'ppo'],
    cleanRl: 'losses/td_loss (DQN)',
  },
  'losses/q_values': {
    meaning: 'mean Q value over the actions of the last batch; grows without bound where learning diverges',
    unit: 'return',
    algorithms: ['apex'],
    cleanRl: 'losses/q_values',
  },
  'train/td_error': { meaning: 'mean size of the errors of the last batch', unit: 'return', algorithms: ['apex'] },
  'train/policy_lag': {
    meaning: 'how many updates old the policy was that gave a sample, mean of the last 100 rollouts',
    unit: 'updates',
    algorithms: ['a3c', 'impala'],
  },
  'train/policy_lag_max': { meaning: 'the largest of those', unit: 'updates', algorithms: ['a3c', 'impala'] },
  'train/foreign_rollouts': {
    meaning: "updates made from other peers' rollouts, where experience is shared",
    unit: 'updates',
    algorithms: ['impala'],
  },
  'train/foreign_dropped': {
    meaning: "other peers' rollouts that waited for more than maxPolicyLag updates and were dropped",
    unit: 'rollouts',
    algorithms: ['impala'],
  },
  'train/dropped_rollouts': {
    meaning: 'rollouts dropped because they were older than maxPolicyLag',
    unit: 'rollouts',
    algorithms: ['impala'],
  },
  'replay/size': { meaning: 'observations in the replay memory', unit: 'observations', algorithms: ['apex'] },
  'replay/foreign_size': {
    meaning: "other peers' transitions in memory, where experience is shared",
    unit: 'transitions',
    algorithms: ['apex'],
  },
  'replay/foreign_share': { meaning: "other peers' part of the last batch, where experience is shared", unit: '1', algorithms: ['apex'] },
  'replay/sample_age': {
    meaning: 'observations that came after a sample of the last batch, mean',
    unit: 'observations',
    algorithms: ['apex'],
  },
  'actors/restarts': {
    meaning: 'crashes and hangs of actor threads, after each of which one was started again',
    unit: 'restarts',
    algorithms: THREADED,
  },
  'actors/skipped_updates': {
    meaning: 'the same as train/skipped_updates, of all threads, one by one',
    unit: 'updates',
    algorithms: ['a3c'],
  },
  'actors/waits': {
    meaning: 'times that the learner found nothing to learn from and waited',
    unit: 'waits',
    algorithms: ['apex', 'impala'],
  },
  'environment/restarts': {
    meaning:
      "children of Python environments, and environments in the learner's own thread, that crashed and were replaced; absent while none did",
    unit: 'restarts',
  },
}
