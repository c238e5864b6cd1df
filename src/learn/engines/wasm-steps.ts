/**
 * Steps of a kernel program, as src/kernels/assembly/program.ts reads them: records of 32-bit words in the memory of the kernels.
 * The order of STEP_KINDS and STEP_FIELDS is that of the constants and fields there.
 */
const STEP_KINDS = [
  'dense',
  'conv',
  'norm',
  'activate',
  'split',
  'vector',
  'transpose',
  'vectorGradient',
  'join',
  'denseWeights',
  'denseInput',
  'convWeights',
  'convInput',
  'normGradient',
  'slope',
  'live',
] as const

const STEP_FIELDS = [
  'kind',
  'source',
  'sourceStride',
  'target',
  'targetStride',
  'inner',
  'innerStride',
  'saved',
  'savedStride',
  'weights',
  'bias',
  'transposed',
  'panelRows',
  'depth',
  'columns',
  'mode',
  'add',
  'places',
  'offsets',
  'kernel',
  'segment',
  'imageRow',
  'groups',
  'width',
  'run',
  'live',
] as const

export const STEP_WORDS = STEP_FIELDS.length

/** Fields left out are 0. */
export type Step = { readonly kind: (typeof STEP_KINDS)[number] } & {
  readonly [field in Exclude<(typeof STEP_FIELDS)[number], 'kind'>]?: number
}

/** Epilogues of a matrix product (epilogue.ts). */
export const EPILOGUES = { none: 0, relu: 1, tanhSlope: 2, reluSlope: 3 } as const
/** Activations (activations.ts). */
export const ACTIVATIONS = { linear: 0, relu: 1, tanh: 2, silu: 3 } as const

/** Writes `steps` into `words` one after the other. */
export function writeSteps(steps: readonly Step[], words: Uint32Array): void {
  steps.forEach((step, index) => {
    STEP_FIELDS.forEach((field, place) => {
      words[index * STEP_WORDS + place] = field === 'kind' ? STEP_KINDS.indexOf(step.kind) : (step[field] ?? 0)
    })
  })
}
