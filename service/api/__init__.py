"""Admin API: what arrived, what became of it, and the one thing an operator may do about it (retry).

`create_app` (app.py) builds the FastAPI application from what it needs; `serve` (serve.py) is the process. One router
per noun: health, studies, jobs, rejections, remote nodes, version. Answers are defined in schemas.py, errors in
problems.py. Nothing here shows a patient's name, ID, birth date, study date or accession number: the registry holds
none of them. The pages for people are in `service.dashboard`.
"""
