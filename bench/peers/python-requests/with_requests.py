"""requests, with a session, which keeps its connection."""

import os

import requests

import modes

URL = os.environ["COREBANK_BASE_URL"] + "/api/auth/v1/authenticate"
CREDENTIALS = {
    "clientId": os.environ["COREBANK_CLIENT_ID"],
    "clientSecret": os.environ["COREBANK_CLIENT_SECRET"],
}

session = requests.Session()
session.verify = os.environ["COREBANK_CA_FILE"]
session.trust_env = False


def exchange():
    answer = session.post(URL, json=CREDENTIALS, timeout=10)
    answer.raise_for_status()
    return answer.json()["accessToken"]


modes.run(exchange)
