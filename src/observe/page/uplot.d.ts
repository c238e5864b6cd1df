/** The server serves the installed package under this name (see http/files.ts). */
export { default } from 'uplot'
