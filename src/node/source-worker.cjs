/** Entry of every thread in the source tree: loads the module that its first argument names, a URL, through the cache of stripped sources. */
'use strict'

require('./strip-cache.cjs')
import(process.argv[2])
