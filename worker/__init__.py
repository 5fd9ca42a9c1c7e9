"""The worker: the only place where image, model and records meet.

`worker.infer` turns a queued job into a stored derived instance, `worker.deliver` brings it to the PACS, `worker.sweep`
picks up what was left standing; `worker.pipeline` is the pure function in the middle. Nothing imports this package.
"""
