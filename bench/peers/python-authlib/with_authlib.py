"""authlib's OAuth2Session over requests: the client credentials grant of RFC 6749."""

import os

from authlib.integrations.requests_client import OAuth2Session
from requests.adapters import HTTPAdapter

import modes

URL = os.environ["COREBANK_BASE_URL"] + "/oauth2/token"

# One for all sessions: each would otherwise connect for itself.
connections = HTTPAdapter(pool_maxsize=modes.callers())


def new_session(**given):
    session = OAuth2Session(
        os.environ["COREBANK_CLIENT_ID"], os.environ["COREBANK_CLIENT_SECRET"],
        token_endpoint=URL, grant_type="client_credentials", **given)
    session.verify = os.environ["COREBANK_CA_FILE"]
    session.trust_env = False
    session.mount("https://", connections)
    return session


# What the library does for a token before each request that carries it.
def ensuring(session):
    return lambda: session.ensure_active_token(session.token)


def with_token():
    session = new_session()
    session.fetch_token()
    return ensuring(session)


def without_token():
    return ensuring(new_session(token={"access_token": "none", "expires_at": 1}))


plain = new_session()


def get():
    if not plain.token:
        plain.fetch_token()
    answer = plain.get(os.environ["COREBANK_BASE_URL"] + os.environ["BENCH_GET"], timeout=10)
    answer.raise_for_status()
    return answer.text


modes.run(lambda: plain.fetch_token()["access_token"],
          kept=with_token, cold=without_token, client=with_token, get=get)
