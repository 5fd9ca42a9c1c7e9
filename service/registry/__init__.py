"""The study registry: what was received, what became of it, and where the results went.

`tables` holds the SQLAlchemy mappings and `job_states` the pure transition tables. `instances`, `jobs`, `deliveries`
and `remote_nodes` change rows, one noun each; only `jobs` writes a job's state. `queries` reads for the API and the
command line. No function commits: the caller's transaction does (`service.database.transaction`). No patient data.
"""
