/** The one part of the library that is used: a bundler leaves out the rest, which is its client for every kind of the API. */
export { KubeConfig } from '@kubernetes/client-node';
