"""Rules under which chat may approve refunds and not payouts; journeys add theirs behind."""

CHAT_POLICY = """
version: 1
defaults: { verdict: deny, risk: medium, approval: { quorum: 1, groups: [oncall], timeout: 30m } }
rules:
  - name: refunds
    match: { action: payments.refund }
    verdict: require_approval
    approval: { groups: [oncall], timeout: 15m, assurance: chat }
  - name: payouts
    match: { action: payments.transfer }
    verdict: require_approval
    risk: high
    approval: { groups: [oncall], timeout: 15m, assurance: passkey }
"""
