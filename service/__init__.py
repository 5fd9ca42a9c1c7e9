"""The ground of softray: settings, study registry, instance store, job queue, admin API, dashboard and command line.

Every other package may import this one; it knows them by name only (Celery task names, process launch targets) and
never loads torch, so that the node and the API start in a second and stay small.
"""
