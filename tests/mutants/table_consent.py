"""Guards of second factors, identity providers and consents given at home."""

from __future__ import annotations

from tests.mutants.mutant import ACCESS, CONSENT, CORE, EDGES, FLOWS, UNIT, Mutant

SECOND = ACCESS + "test_second_factor.py::"
PROVIDER = CONSENT + "test_provider.py::"
PAGES = CONSENT + "test_pages.py::"
AT_HOME = CONSENT + "test_at_home.py::"

CONSENTS = (
    # a passkey as second factor
    Mutant(
        "staff-passkey-purpose",
        "a challenge made for enrolling opens no session",
        FLOWS + "staff_passkeys.py",
        'compute_index_tag(f"staff passkey {purpose}", account_id)',
        'compute_index_tag("staff passkey", account_id)',
        SECOND + "test_passkey_of_another_account_or_without_a_password_opens_nothing",
    ),
    Mutant(
        "staff-passkey-account",
        "a challenge belongs to the account whose password was shown",
        FLOWS + "staff_passkeys.py",
        'compute_index_tag(f"staff passkey {purpose}", account_id)',
        'compute_index_tag(f"staff passkey {purpose}", "anybody")',
        SECOND + "test_passkey_of_another_account_or_without_a_password_opens_nothing",
    ),
    Mutant(
        "staff-passkey-count",
        "a copied passkey whose counter does not rise opens no session",
        FLOWS + "staff_passkeys.py",
        "verify_assertion_by(key, assertion, challenge, page, row.sign_count)",
        "verify_assertion_by(key, assertion, challenge, page, 0)",
        SECOND + "test_copied_passkey_whose_count_does_not_rise_is_refused",
    ),
    Mutant(
        "password-forgives-codes",
        "the right password alone lifts no lock on the second factor",
        FLOWS + "accounts.py",
        "    if forgive and lock != Lock():\n",
        "    if lock != Lock():\n",
        SECOND + "test_password_alone_does_not_lift_the_lock_on_codes",
    ),
    Mutant(
        "reset-keeps-passkeys",
        "resetting the second factor takes passkeys away",
        FLOWS + "administering.py",
        "        if drop_passkeys:\n",
        "        if False:\n",
        SECOND + "test_reset_of_the_second_factor_takes_passkeys_away",
    ),
    Mutant(
        "staff-passkey-of-another",
        "an account takes away its own passkeys only",
        EDGES + "database/accounts.py",
        "query = delete(staff_passkeys).where(staff_passkeys.c.account_id == account_id)",
        "query = delete(staff_passkeys)",
        SECOND + "test_enrol_twice_or_more_than_five_is_refused_and_remove_is_for_the_own_ones",
    ),
    # consents confirmed at a provider
    Mutant(
        "provider-digest",
        "keys other than those whose digest was told are not pinned",
        FLOWS + "providers.py",
        "    if digest and digest != served:\n",
        "    if False:\n",
        PROVIDER + "test_pin_provider_twice_or_with_another_digest_is_refused_and_unpinned"
        "_confirms_nothing",
    ),
    Mutant(
        "provider-unpinned",
        "nobody is sent to a provider whose keys do not count",
        FLOWS + "providers.py",
        "    if _find_proof(node, provider) is None:\n",
        "    if False:\n",
        PROVIDER + "test_pin_provider_twice_or_with_another_digest_is_refused_and_unpinned"
        "_confirms_nothing",
    ),
    Mutant(
        "provider-withdrawn",
        "keys that were taken back confirm nothing in this city from that moment on",
        FLOWS + "providers.py",
        "rows = [row for row in rows if not is_credential_withdrawn(node, tx, row.commitment)]",
        "rows = list(rows)",
        PROVIDER + "test_withdraw_provider_ends_what_its_keys_signed_here_and_in_every_other_city",
    ),
    Mutant(
        "assertion-scope",
        "a provider is asked for no claims of the person in evidence",
        FLOWS + "identity.py",
        '"scope": SCOPES[provider.audience] if asked is None else ASSERTION_SCOPE',
        '"scope": SCOPES[provider.audience]',
        PROVIDER + "test_citizen_of_another_citys_provider_is_accepted_and_all_cities_verify"
        "_the_confirmation",
    ),
    Mutant(
        "assertion-session",
        "a provider's answer counts only in the session that asked for it",
        FLOWS + "consenting.py",
        "    if row is None or row.account_id != account_id:\n",
        "    if row is None:\n",
        PROVIDER + "test_answer_of_the_provider_counts_once_and_in_the_session_that_asked",
    ),
    # own pages
    Mutant(
        "own-grant",
        "a person withdraws own consents only",
        FLOWS + "citizen.py",
        "    if grant_id not in own:\n",
        "    if False:\n",
        PAGES + "test_citizen_sees_and_withdraws_nothing_of_another_person",
    ),
    Mutant(
        "sweep-writes-for-nothing",
        "the sweep of consents writes nothing while nothing is overdue",
        FLOWS + "consenting.py",
        "    if oldest is None or oldest > now:\n",
        "    if False:\n",
        CONSENT + "test_ceremony.py::test_sweep_consents_with_nothing_overdue_writes_nothing",
    ),
    Mutant(
        "overdue-by-time",
        "a consent whose time is not over is not ended by the sweep",
        EDGES + "database/consent.py",
        ".where(ceremonies.c.state.in_(states), ceremonies.c.expires_at <= now)",
        ".where(ceremonies.c.state.in_(states))",
        "tests/conformance/database/test_consent_group.py"
        "::test_list_overdue_takes_open_ones_whose_time_is_over_oldest_first",
    ),
    # consents given at home
    Mutant(
        "home-consent-fields",
        "a consent that shows less than the window asks is not taken up",
        CORE + "visit.py",
        "        and all(each.documents and set(fields) <= set(each.fields)"
        " for each in terms.types)\n",
        "",
        UNIT + "test_visit.py::test_may_use_at_window_anything_else_wants_a_signature",
    ),
    Mutant(
        "home-consent-agent",
        "who acts for somebody else signs for it at the window",
        CORE + "visit.py",
        "        and visit.by is GrantorKind.SELF\n",
        "",
        UNIT + "test_visit.py::test_may_use_at_window_for_who_acts_for_another_wants_a_signature",
    ),
    Mutant(
        "home-consent-item",
        "a consent for another service, or of another person, is not taken up",
        FLOWS + "home_consents.py",
        "    if body.item != run.visit.item or body.subject != run.visit.person:\n",
        "    if False:\n",
        AT_HOME + "test_list_home_consents_of_another_service_person_or_agent_are_none",
    ),
    Mutant(
        "home-consent-withdrawn",
        "a consent that is being withdrawn is not taken up",
        FLOWS + "home_consents.py",
        '    if tx.outbox.find_latest("revoke", grant_id.hex()) is not None:\n',
        "    if False:\n",
        AT_HOME + "test_use_home_consent_withdrawn_or_over_is_refused",
    ),
)
