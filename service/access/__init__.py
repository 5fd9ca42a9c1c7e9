"""Who may use the admin API and its pages, and for what.

`roles` says what each role may, `principals` who asks. People log in (`users` with `passwords`, or `oidc`) and get a
session (`web_sessions`); programs show a token (`tokens`). `login_limits` locks out who guesses. `entry` puts these
together for one request. Secrets are random, kept hashed, and shown once. Nothing here knows HTTP's framework.
"""
