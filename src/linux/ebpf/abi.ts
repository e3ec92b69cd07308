/** The kernel's numbers of eBPF under its own names, from linux/bpf.h: each once. Numbers only, no code. */

// commands of bpf(2)
export const BPF_MAP_CREATE = 0;
export const BPF_MAP_LOOKUP_ELEM = 1;
export const BPF_MAP_UPDATE_ELEM = 2;
export const BPF_MAP_DELETE_ELEM = 3;
export const BPF_PROG_LOAD = 5;
export const BPF_BTF_LOAD = 18;
export const BPF_MAP_LOOKUP_AND_DELETE_ELEM = 21;
export const BPF_MAP_LOOKUP_BATCH = 24;
export const BPF_LINK_CREATE = 28;

// maps
export const BPF_MAP_TYPE_HASH = 1;
export const BPF_MAP_TYPE_ARRAY = 2;
export const BPF_MAP_TYPE_PERCPU_HASH = 5;
export const BPF_MAP_TYPE_PERCPU_ARRAY = 6;
export const BPF_MAP_TYPE_LPM_TRIE = 11;
export const BPF_MAP_TYPE_SOCKMAP = 15;
export const BPF_MAP_TYPE_SK_STORAGE = 24;
export const BPF_F_NO_PREALLOC = 1;
export const BPF_ANY = 0;
export const BPF_NOEXIST = 1;

// programs, and where they are attached
export const BPF_PROG_TYPE_SCHED_CLS = 3;
export const BPF_PROG_TYPE_SOCK_OPS = 13;
export const BPF_PROG_TYPE_SK_LOOKUP = 30;
export const BPF_CGROUP_SOCK_OPS = 3;
export const BPF_SK_LOOKUP = 36;
export const BPF_TCX_INGRESS = 46;
export const BPF_TCX_EGRESS = 47;
