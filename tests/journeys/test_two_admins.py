"""What two admins must both do, once two have passkeys."""
import unittest

from support.authenticator import Passkey
from support.gateway import Gateway
from support.people import ORIGIN, Person


class TwoAdmins(unittest.TestCase):
    def outcome(self, answer):
        return answer.status, answer.json.get("code")

    def cast(self, gateway):
        ada, root = (Person(gateway, name, admin=True) for name in ("ada", "root"))
        for admin in (ada, root):
            admin.add_passkey()
        gateway.admin("POST", "/v1/people", {"name": "dana"})
        return ada, root

    def groups(self, admin):
        return {group["name"]: group["members"] for group in admin.ok("GET", "/v1/groups")["groups"]}

    def test_one_admin_with_a_passkey_needs_nobody(self):
        with Gateway() as gateway:
            ada, root = (Person(gateway, name, admin=True) for name in ("ada", "root"))
            ada.add_passkey()
            ada.ok("POST", "/v1/people", {"name": "dana"})
            root.ok("POST", "/v1/people", {"name": "erin"})

    def test_a_change_happens_when_the_second_makes_it_too(self):
        with Gateway() as gateway:
            ada, root = self.cast(gateway)
            body = {"person": "dana"}
            noted = ada.call("POST", "/v1/groups/ops/members", body)
            self.assertEqual(202, noted.status)
            self.assertEqual(noted.json["id"], ada.call("POST", "/v1/groups/ops/members", body).json["id"], "the same again is the same")
            self.assertEqual({}, self.groups(root))
            listed = root.ok("GET", "/v1/proposals")["proposals"]
            self.assertEqual([(noted.json["id"], "POST", "/v1/groups/ops/members", ada.id)],
                             [(p["id"], p["method"], p["path"], p["proposer"]) for p in listed])
            other = root.call("POST", "/v1/groups/ops/members", {"person": "root"})
            self.assertEqual(202, other.status, "another body is another change")
            root.ok("DELETE", f"/v1/proposals/{other.json['id']}")
            self.assertEqual(204, root.call(listed[0]["method"], listed[0]["path"], listed[0]["body"]).status)
            self.assertEqual(["ops"], list(self.groups(root)))
            self.assertEqual([], root.ok("GET", "/v1/proposals")["proposals"])
            self.assertEqual(202, root.call("POST", "/v1/groups/ops/members", body).status, "a confirmation is used up")

    def test_each_change_of_people_and_policy_is_for_two(self):
        with Gateway() as gateway:
            ada, root = self.cast(gateway)
            later = ada.call("POST", "/v1/passkeys", {"name": "x", **Passkey(ORIGIN).register(ada.ok("POST", "/v1/me/passkeys/begin")["challenge"])}).json
            calls = (("POST", "/v1/people", {"name": "erin"}), ("POST", "/v1/people/dana/roles", {"admin": True, "auditor": False}),
                     ("POST", "/v1/people/dana/disable", None), ("POST", "/v1/people/dana/enable", None), ("POST", "/v1/people/dana/enrolment", None),
                     ("DELETE", "/v1/groups/ops/members/dana", None), ("POST", "/v1/policies/reload", None), ("DELETE", f"/v1/passkeys/{later['id']}", None))
            for method, path, body in calls:
                self.assertEqual(202, root.call(method, path, body).status, path)
            self.assertEqual(len(calls), len(ada.ok("GET", "/v1/proposals")["proposals"]))
            for method, path, body in calls[:2] + calls[6:7]:
                self.assertIn(ada.call(method, path, body).status, (200, 201), path)
            root.ok("POST", "/v1/agents", {"name": "bot"})

    def test_a_proposal_ends_with_its_time_its_proposer_or_its_withdrawal(self):
        with Gateway(config="timing: { session_idle: 1d, session_longest: 7d }\n") as gateway:
            ada, root = self.cast(gateway)
            late = ada.call("POST", "/v1/people", {"name": "late"}).json["id"]
            gateway.advance(seconds=24 * 3600 - 60)
            root.sign_in_by_passkey()
            self.assertEqual([late], [p["id"] for p in root.ok("GET", "/v1/proposals")["proposals"]])
            gateway.advance(seconds=60)
            self.assertEqual(202, root.call("POST", "/v1/people", {"name": "late"}).status)
            withdrawn = root.ok("GET", "/v1/proposals")["proposals"][0]["id"]
            root.ok("DELETE", f"/v1/proposals/{withdrawn}")
            self.assertEqual((409, "proposal_decided"), self.outcome(root.call("DELETE", f"/v1/proposals/{withdrawn}")))
            ada.sign_in_by_passkey()
            self.assertEqual(202, ada.call("POST", "/v1/people", {"name": "erin"}).status)
            gateway.admin("POST", "/v1/people", {"name": "carl", "admin": True})
            carl = Person(gateway, "carl", exists=True)
            carl.add_passkey()
            gateway.admin("POST", "/v1/people/ada/disable")
            self.assertEqual(202, root.call("POST", "/v1/people", {"name": "erin"}).status, "who is disabled began nothing")
            carl.ok("POST", "/v1/people", {"name": "erin"})

    def test_giving_up_ones_passkey_does_not_end_the_rule(self):
        with Gateway() as gateway:
            ada, root = self.cast(gateway)
            own = root.ok("GET", "/v1/passkeys")["passkeys"][0]["id"]
            root.ok("DELETE", f"/v1/passkeys/{own}")
            root.sign_in()
            root.step_up()
            self.assertEqual(202, root.call("POST", "/v1/people", {"name": "mallory"}).status)

    def test_the_second_steps_up_too_and_others_see_nothing(self):
        with Gateway() as gateway:
            ada, root = self.cast(gateway)
            dana = Person(gateway, "dana", exists=True)
            noted = ada.call("POST", "/v1/people", {"name": "erin"}).json["id"]
            root.sign_in()
            self.assertEqual((403, "step_up_needed"), self.outcome(root.call("POST", "/v1/people", {"name": "erin"})))
            for method, path in (("GET", "/v1/proposals"), ("DELETE", f"/v1/proposals/{noted}")):
                self.assertEqual((403, "not_allowed"), self.outcome(dana.call(method, path)))
            self.assertEqual(403, dana.call("POST", "/v1/people", {"name": "erin"}).status)
            root.step_up()
            self.assertEqual(201, root.call("POST", "/v1/people", {"name": "erin"}).status)

    def test_the_host_and_a_configuration_that_says_so_need_no_second(self):
        with Gateway() as gateway:
            self.cast(gateway)
            gateway.admin("POST", "/v1/people", {"name": "erin"})
        with Gateway(config="passkeys: { second_admin: false }\n") as gateway:
            ada, _ = self.cast(gateway)
            ada.ok("POST", "/v1/people", {"name": "erin"})


if __name__ == "__main__":
    unittest.main()
