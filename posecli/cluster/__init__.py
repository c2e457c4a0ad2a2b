"""Many jobs on many machines: who does which, what becomes of a job whose worker dies, and Ray. Nothing about poses."""
