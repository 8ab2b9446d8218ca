"""One grant, tried through every door at once: by token, by exchange, by an evaluation that carries the approval."""
import threading
import unittest
import urllib.parse

from support.standard import Described

POLICY = """
version: 1
defaults: { verdict: deny, risk: low }
rules:
  - { name: refunds, match: { action: payments.refund }, verdict: allow, grant: { audience: [payments] } }
"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TRIES = 10  # through each door


class Contested(unittest.TestCase):
    def doors(self, gateway, key, shown):
        token, action, resource = shown["grant"]["token"], shown["action"], shown["resource"]
        form = urllib.parse.urlencode({"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": token,
                                       "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "audience": "payments"})
        again = {"subject": shown["subject"], "action": action, "resource": resource, "context": {"approval": {"id": shown["grant"]["id"]}}}
        return (lambda: gateway.call("POST", "/v1/grants/redeem", {"token": token, "action": action, "resource": resource}, key).status == 200,
                lambda: gateway.call("POST", "/oauth/token", form, key, FORM).status == 200,
                lambda: gateway.call("POST", "/access/v1/evaluation", again, key).json["decision"])

    def test_one_of_all_tries_through_all_doors_redeems(self):
        with Described(policy=POLICY, config="exchange: [{ audience: payments }]\n") as gateway:
            key = gateway.add_caller("runner", audiences=["payments"])
            for number in range(5):
                shown = gateway.submit(key, args={"n": number}, audience="payments", want=(201,))
                done, start = [], threading.Barrier(3 * TRIES)

                def attempt(door):
                    start.wait(30)
                    done.append(door())

                threads = [threading.Thread(target=attempt, args=(door,)) for door in self.doors(gateway, key, shown) for _ in range(TRIES)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join(60)
                self.assertEqual((3 * TRIES, 1), (len(done), sum(done)))
            gateway.entries("grant.redeemed", 5)
            gateway.entries("grant.refused", 5 * (3 * TRIES - 1))


if __name__ == "__main__":
    unittest.main()
