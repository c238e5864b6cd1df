/** The one-way street of src: which folder may import which. `util` and `ports` are open to everyone; everything not listed is forbidden. */
const everyone = ['util', 'ports']
const allowed = {
  util: [],
  ports: [],
  kernels: [],
  wire: [],
  envs: [],
  observe: [],
  average: ['kernels', 'wire'],
  learn: ['kernels', 'envs'],
  store: ['wire'],
  swarm: ['wire'],
  node: ['kernels', 'average', 'learn', 'envs', 'wire', 'store'],
  sim: ['peer', 'average', 'learn', 'wire', 'observe'],
}
const core = ['wire', 'average', 'learn', 'envs', 'store', 'observe']
const folder = (names) => `^src/(${names.join('|')})/`

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^@tensorflow/tfjs-node$' } },
    { name: 'src-stands-alone', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|scripts)/' } },
    ...Object.entries(allowed).map(([from, to]) => ({
      name: `${from}-imports-only-${to.join('-') || 'itself'}`,
      severity: 'error',
      from: { path: `^src/${from}/` },
      to: { path: '^src/', pathNot: [folder([from, ...to, ...(from === 'util' ? [] : everyone)])] },
    })),
    {
      name: 'peer-core',
      severity: 'error',
      from: { path: '^src/peer/', pathNot: '^src/peer/daemon\\.ts$' },
      to: { path: '^src/', pathNot: [folder(['peer', ...core, ...everyone])] },
    },
    {
      name: 'only-the-outside-imports-the-daemon',
      severity: 'error',
      from: { path: '^src/(peer|sim)/' },
      to: { path: '^src/peer/daemon\\.ts$' },
    },
    {
      name: 'peer-daemon',
      severity: 'error',
      from: { path: '^src/peer/daemon\\.ts$' },
      to: { path: '^src/', pathNot: [folder(['peer', ...core, 'swarm', 'node', 'kernels', ...everyone])] },
    },
    { name: 'sim-never-imports-the-daemon', severity: 'error', from: { path: '^src/sim/' }, to: { path: '^src/(swarm|node|kernels)/' } },
    {
      name: 'libp2p-only-in-swarm',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/swarm/' },
      to: { path: 'node_modules/(@?libp2p|@chainsafe|@multiformats)' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/kernels/assembly' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
}
