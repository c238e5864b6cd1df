import { type CodecCase, codecContract } from './codec.ts'

const SLICES = [30, 1, 8, 1]

const CASES: readonly CodecCase[] = [
  { name: 'f32', slices: SLICES, chosen: 40, bytes: 160 },
  { name: 'f16', slices: SLICES, chosen: 40, bytes: 80 },
  { name: 'int8', slices: SLICES, chosen: 40, bytes: 56 },
  { name: 'int8', slices: [300, 700], chosen: 1000, bytes: 1008 },
  { name: 'subset:0.1', slices: SLICES, chosen: 4, bytes: 16 },
  { name: 'subset:0.3:f16', slices: SLICES, chosen: 12, bytes: 24 },
  { name: 'subset:0.3:int8', slices: SLICES, chosen: 12, bytes: 28 },
  { name: 'subset:0.001', slices: SLICES, chosen: 1, bytes: 4 },
  { name: 'subset:0.99', slices: SLICES, chosen: 40, bytes: 160 },
  { name: 'fragment:3', slices: SLICES, chosen: 14, bytes: 56 },
  { name: 'fragment:4:f16', slices: SLICES, chosen: 10, bytes: 20 },
  { name: 'fragment:7:int8', slices: SLICES, chosen: 6, bytes: 22 },
  { name: 'fragment:100', slices: SLICES, chosen: 1, bytes: 4 },
]

for (const each of CASES) codecContract(each)
