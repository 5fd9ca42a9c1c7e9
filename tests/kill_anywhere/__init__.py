"""Kill anywhere: the whole system as processes, broken at every named state of a job; nothing lost, nothing twice."""
