/** @tensorflow/tfjs-node is optional and mostly absent; what we use of it is the interface of @tensorflow/tfjs. */
declare module '@tensorflow/tfjs-node' {
  const tfjs: typeof import('@tensorflow/tfjs')
  export = tfjs
}
