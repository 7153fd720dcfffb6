//! The tables as diesel sees them, one definition for both databases (`migrations/`).
#![expect(missing_docs, reason = "the migrations document the columns")]

diesel::table! {
    organisations (id) {
        id -> BigInt,
        kind -> Text,
        lg_code -> Nullable<Text>,
        prefecture_id -> Nullable<BigInt>,
        parent_id -> Nullable<BigInt>,
        name -> Text,
        kana -> Text,
        search_key -> Text,
        latitude_e6 -> Nullable<Integer>,
        longitude_e6 -> Nullable<Integer>,
        contact_email -> Nullable<Text>,
        requires_approval -> Bool,
        requires_second_factor -> Bool,
        valid_from -> Nullable<Date>,
        valid_to -> Nullable<Date>,
        successor_id -> Nullable<BigInt>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    populations (id) {
        id -> BigInt,
        organisation_id -> BigInt,
        population -> BigInt,
        rounded_to -> Integer,
        as_of -> Date,
        source -> Text,
    }
}

diesel::table! {
    users (id) {
        id -> BigInt,
        email -> Text,
        name -> Text,
        kana -> Text,
        locale -> Text,
        status -> Text,
        password_hash -> Nullable<Text>,
        failed_sign_ins -> Integer,
        locked_until -> Nullable<Timestamp>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    memberships (id) {
        id -> BigInt,
        user_id -> BigInt,
        organisation_id -> BigInt,
        role -> Text,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    user_tokens (id) {
        id -> BigInt,
        user_id -> BigInt,
        kind -> Text,
        token_hash -> Text,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    sessions (id) {
        id -> BigInt,
        user_id -> BigInt,
        membership_id -> BigInt,
        kind -> Text,
        cookie_hash -> Nullable<Text>,
        user_agent -> Text,
        created_at -> Timestamp,
        last_used_at -> Timestamp,
        expires_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
        end_reason -> Nullable<Text>,
    }
}

diesel::table! {
    refresh_tokens (id) {
        id -> BigInt,
        session_id -> BigInt,
        token_hash -> Text,
        created_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    api_clients (id) {
        id -> BigInt,
        organisation_id -> BigInt,
        name -> Text,
        acts_as -> Text,
        scopes -> Text,
        key_prefix -> Text,
        key_hash -> Text,
        expires_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
        created_by -> Nullable<BigInt>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    audit_events (id) {
        id -> BigInt,
        occurred_at -> Timestamp,
        operation -> Text,
        actor_kind -> Text,
        actor_user_id -> Nullable<BigInt>,
        actor_api_client_id -> Nullable<BigInt>,
        membership_id -> Nullable<BigInt>,
        organisation_id -> Nullable<BigInt>,
        filed_for_organisation_id -> Nullable<BigInt>,
        entity_kind -> Text,
        entity_id -> Nullable<BigInt>,
        owner_organisation_id -> Nullable<BigInt>,
        old_value -> Nullable<Text>,
        new_value -> Nullable<Text>,
        reason -> Nullable<Text>,
        request_id -> Text,
    }
}

diesel::table! {
    audit_seals (sequence) {
        sequence -> BigInt,
        event_id -> BigInt,
        previous_hash -> Text,
        hash -> Text,
    }
}

diesel::table! {
    idempotency_records (principal, operation, idempotency_key) {
        principal -> Text,
        operation -> Text,
        idempotency_key -> Text,
        request_hash -> Text,
        status -> Integer,
        body -> Nullable<Text>,
        location -> Nullable<Text>,
        etag -> Nullable<Text>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    outbox_messages (id) {
        id -> BigInt,
        event -> Text,
        dedupe_key -> Text,
        message_id -> Text,
        owner_organisation_id -> Nullable<BigInt>,
        entity_kind -> Nullable<Text>,
        entity_id -> Nullable<BigInt>,
        recipient_address -> Text,
        recipient_name -> Text,
        subject -> Text,
        body -> Text,
        secret -> Nullable<Text>,
        thread_id -> Nullable<Text>,
        status -> Text,
        attempts -> Integer,
        next_attempt_at -> Timestamp,
        claimed_by -> Nullable<Text>,
        claimed_until -> Nullable<Timestamp>,
        last_error -> Nullable<Text>,
        sent_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
        calendars -> Nullable<Text>,
        locale -> Text,
        is_digest -> Bool,
        permanent -> Bool,
        resend_of -> Nullable<BigInt>,
    }
}

diesel::table! {
    delivery_attempts (id) {
        id -> BigInt,
        outbox_message_id -> BigInt,
        attempted_at -> Timestamp,
        worker -> Text,
        outcome -> Text,
        code -> Nullable<Integer>,
        detail -> Text,
    }
}

diesel::table! {
    undeliverable_addresses (id) {
        id -> BigInt,
        address -> Text,
        since -> Timestamp,
        last_refused_at -> Timestamp,
        refusals -> Integer,
        code -> Nullable<Integer>,
        detail -> Text,
    }
}

diesel::table! {
    mail_relay (id) {
        id -> BigInt,
        paused_until -> Nullable<Timestamp>,
        pauses -> Integer,
        slots_until -> Nullable<Timestamp>,
    }
}

diesel::table! {
    job_leases (name) {
        name -> Text,
        claimed_by -> Text,
        claimed_until -> Timestamp,
        last_run_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    document_numbers (owner_organisation_id, kind, fiscal_year) {
        owner_organisation_id -> BigInt,
        kind -> Text,
        fiscal_year -> Integer,
        last_number -> Integer,
    }
}

diesel::table! {
    pools (id) {
        id -> BigInt,
        owner_organisation_id -> BigInt,
        name -> Text,
        expert_title -> Text,
        description -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    pool_members (id) {
        id -> BigInt,
        pool_id -> BigInt,
        organisation_id -> BigInt,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    programmes (id) {
        id -> BigInt,
        pool_id -> BigInt,
        name -> Text,
        description -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    programme_years (id) {
        id -> BigInt,
        programme_id -> BigInt,
        fiscal_year -> Integer,
        rules -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    skill_frameworks (id) {
        id -> BigInt,
        code -> Text,
        edition -> Text,
        name -> Text,
        source -> Text,
        highest_level -> Integer,
        created_at -> Timestamp,
    }
}

diesel::table! {
    skill_items (id) {
        id -> BigInt,
        framework_id -> BigInt,
        code -> Text,
        name -> Text,
        position -> Integer,
    }
}

diesel::table! {
    experts (id) {
        id -> BigInt,
        pool_id -> BigInt,
        user_id -> Nullable<BigInt>,
        name -> Text,
        kana -> Text,
        alternative_name -> Text,
        search_key -> Text,
        affiliation_kind -> Text,
        affiliation -> Text,
        profile -> Text,
        email -> Text,
        phone -> Text,
        onsite -> Bool,
        online -> Bool,
        base_organisation_id -> Nullable<BigInt>,
        base_place -> Text,
        languages -> Text,
        status -> Text,
        appointed_from -> Date,
        appointed_to -> Nullable<Date>,
        capacity_simultaneous -> Nullable<Integer>,
        capacity_minutes_month -> Nullable<Integer>,
        capacity_minutes_year -> Nullable<Integer>,
        capacity_days_year -> Nullable<Integer>,
        serves_islands -> Bool,
        capacity_minutes_week -> Nullable<Integer>,
        employer_consent -> Text,
        employer_consent_until -> Nullable<Date>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    expert_skills (expert_id, skill_item_id) {
        expert_id -> BigInt,
        pool_id -> BigInt,
        kana -> Text,
        skill_item_id -> BigInt,
        level -> Integer,
        verified -> Bool,
    }
}

diesel::table! {
    expert_areas (expert_id, organisation_id) {
        expert_id -> BigInt,
        organisation_id -> BigInt,
    }
}

diesel::table! {
    expert_weekly_slots (expert_id, weekday, start_minute) {
        expert_id -> BigInt,
        weekday -> Integer,
        start_minute -> Integer,
        end_minute -> Integer,
    }
}

diesel::table! {
    expert_exceptions (id) {
        id -> BigInt,
        expert_id -> BigInt,
        kind -> Text,
        first_day -> Date,
        last_day -> Date,
        start_minute -> Nullable<Integer>,
        end_minute -> Nullable<Integer>,
        note -> Text,
    }
}

diesel::table! {
    expert_conflicts (id) {
        id -> BigInt,
        expert_id -> BigInt,
        organisation_id -> BigInt,
        kind -> Text,
        reason -> Text,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
    }
}

diesel::table! {
    requests (id) {
        id -> BigInt,
        programme_id -> BigInt,
        fiscal_year -> Integer,
        owner_organisation_id -> BigInt,
        applicant_organisation_id -> BigInt,
        filed_by_organisation_id -> BigInt,
        filed_by_user_id -> Nullable<BigInt>,
        origin -> Text,
        activity_kind -> Text,
        theme -> Text,
        theme_key -> Text,
        background -> Text,
        goal -> Text,
        mode -> Text,
        period_from -> Date,
        period_to -> Date,
        visit_count -> Integer,
        minutes_per_visit -> Integer,
        place -> Text,
        audience -> Text,
        audience_count -> Nullable<Integer>,
        equipment -> Text,
        department -> Text,
        contact_name -> Text,
        contact_email -> Text,
        contact_phone -> Text,
        leave_to_office -> Bool,
        budget_note -> Text,
        on_island -> Bool,
        languages -> Text,
        experts_needed -> Integer,
        rotation -> Bool,
        status -> Text,
        status_reason_code -> Nullable<Text>,
        status_reason -> Nullable<Text>,
        submitted_at -> Nullable<Timestamp>,
        copied_from_id -> Nullable<BigInt>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    request_wished_dates (request_id, rank) {
        request_id -> BigInt,
        rank -> Integer,
        day -> Date,
        start_minute -> Nullable<Integer>,
        end_minute -> Nullable<Integer>,
    }
}

diesel::table! {
    request_skills (request_id, skill_item_id) {
        request_id -> BigInt,
        skill_item_id -> BigInt,
        min_level -> Integer,
        must -> Bool,
        alternative_group -> Nullable<Integer>,
        verified_only -> Bool,
    }
}

diesel::table! {
    request_preferences (request_id, rank) {
        request_id -> BigInt,
        rank -> Integer,
        expert_id -> BigInt,
    }
}

diesel::table! {
    request_participants (request_id, organisation_id) {
        request_id -> BigInt,
        organisation_id -> BigInt,
        is_lead -> Bool,
        consented_at -> Nullable<Timestamp>,
        consented_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    request_interests (request_id, organisation_id) {
        request_id -> BigInt,
        organisation_id -> BigInt,
    }
}

diesel::table! {
    request_messages (id) {
        id -> BigInt,
        request_id -> BigInt,
        author_user_id -> Nullable<BigInt>,
        author_organisation_id -> BigInt,
        body -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    attachments (id) {
        id -> BigInt,
        request_id -> BigInt,
        file_name -> Text,
        media_type -> Text,
        size_bytes -> Integer,
        sha256 -> Text,
        content -> Binary,
        uploaded_by -> Nullable<BigInt>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    offers (id) {
        id -> BigInt,
        request_id -> BigInt,
        expert_id -> BigInt,
        rank -> Integer,
        status -> Text,
        message -> Text,
        proposed_by -> Nullable<BigInt>,
        valid_hours -> Integer,
        sent_at -> Nullable<Timestamp>,
        expires_at -> Nullable<Timestamp>,
        answered_at -> Nullable<Timestamp>,
        answered_via -> Nullable<Text>,
        answer_reason_code -> Nullable<Text>,
        answer_note -> Text,
        token_hash -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    offer_visits (id) {
        id -> BigInt,
        offer_id -> BigInt,
        position -> Integer,
        day -> Nullable<Date>,
        start_minute -> Nullable<Integer>,
        minutes -> Integer,
        mode -> Text,
        place -> Text,
        proposed -> Bool,
    }
}

diesel::table! {
    dispatches (id) {
        id -> BigInt,
        request_id -> BigInt,
        programme_id -> BigInt,
        owner_organisation_id -> BigInt,
        applicant_organisation_id -> BigInt,
        activity_kind -> Text,
        fiscal_year -> Integer,
        number -> Nullable<Text>,
        document_number -> Text,
        decided_on -> Date,
        decided_by -> Nullable<BigInt>,
        period_from -> Date,
        period_to -> Date,
        status -> Text,
        cancelled_by_party -> Nullable<Text>,
        cancelled_at -> Nullable<Timestamp>,
        notice_days -> Nullable<Integer>,
        cancel_reason -> Nullable<Text>,
        amendment_number -> Integer,
        successor_id -> Nullable<BigInt>,
        rules -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    dispatch_experts (id) {
        id -> BigInt,
        dispatch_id -> BigInt,
        expert_id -> BigInt,
        offer_id -> Nullable<BigInt>,
        active -> Bool,
        replaced_by_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    dispatch_amendments (id) {
        id -> BigInt,
        dispatch_id -> BigInt,
        number -> Integer,
        kind -> Text,
        document_number -> Text,
        old_value -> Text,
        new_value -> Text,
        reason -> Text,
        amended_on -> Date,
        amended_by -> Nullable<BigInt>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    visits (id) {
        id -> BigInt,
        programme_id -> BigInt,
        owner_organisation_id -> BigInt,
        applicant_organisation_id -> BigInt,
        expert_id -> BigInt,
        request_id -> Nullable<BigInt>,
        offer_id -> Nullable<BigInt>,
        dispatch_id -> Nullable<BigInt>,
        origin -> Text,
        activity_kind -> Text,
        status -> Text,
        day -> Nullable<Date>,
        load_day -> Date,
        start_minute -> Nullable<Integer>,
        planned_minutes -> Integer,
        actual_minutes -> Nullable<Integer>,
        blocked_from -> Nullable<Timestamp>,
        blocked_to -> Nullable<Timestamp>,
        mode -> Text,
        place -> Text,
        attendees -> Nullable<Integer>,
        note -> Text,
        cancelled_by_party -> Nullable<Text>,
        notice_days -> Nullable<Integer>,
        cancel_reason -> Nullable<Text>,
        rescheduled_to_id -> Nullable<BigInt>,
        ledger_key -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    visit_participants (visit_id, organisation_id) {
        visit_id -> BigInt,
        organisation_id -> BigInt,
    }
}

diesel::table! {
    reports (id) {
        id -> BigInt,
        dispatch_id -> BigInt,
        status -> Text,
        due_on -> Nullable<Date>,
        content -> Text,
        result -> Text,
        next_step -> Text,
        submitted_at -> Nullable<Timestamp>,
        submitted_by -> Nullable<BigInt>,
        returned_reason -> Nullable<Text>,
        approved_at -> Nullable<Timestamp>,
        approved_by -> Nullable<BigInt>,
        reminded -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    report_outcomes (report_id, counter) {
        report_id -> BigInt,
        counter -> Text,
        amount -> Integer,
    }
}

diesel::table! {
    evaluations (id) {
        id -> BigInt,
        dispatch_id -> BigInt,
        expert_id -> BigInt,
        score -> Integer,
        comment -> Text,
        created_by -> Nullable<BigInt>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    postings (id) {
        id -> BigInt,
        programme_id -> BigInt,
        owner_organisation_id -> BigInt,
        expert_id -> BigInt,
        host_organisation_id -> BigInt,
        share_percent -> Integer,
        valid_from -> Date,
        valid_to -> Date,
        legal_basis -> Text,
        status -> Text,
        note -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    imports (id) {
        id -> BigInt,
        owner_organisation_id -> BigInt,
        kind -> Text,
        pool_id -> Nullable<BigInt>,
        programme_id -> Nullable<BigInt>,
        file_name -> Text,
        sha256 -> Text,
        content -> Binary,
        status -> Text,
        row_count -> Integer,
        error_count -> Integer,
        errors -> Text,
        preview -> Text,
        created_by -> Nullable<BigInt>,
        applied_at -> Nullable<Timestamp>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    expert_payment_profiles (expert_id) {
        expert_id -> BigInt,
        withholding_category -> Text,
        fee_grade -> Text,
        employer_organisation_id -> Nullable<BigInt>,
        invoice_number -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    cost_agreements (id) {
        id -> BigInt,
        request_id -> BigInt,
        number -> Integer,
        agreed_on -> Date,
        terms -> Text,
        reason -> Text,
        status -> Text,
        proposed_by -> Nullable<BigInt>,
        frozen_at -> Nullable<Timestamp>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    cost_agreement_bodies (agreement_id, organisation_id) {
        agreement_id -> BigInt,
        organisation_id -> BigInt,
        is_lead -> Bool,
        figures -> Text,
        consented_at -> Nullable<Timestamp>,
        consented_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    menu_orders (id) {
        id -> BigInt,
        programme_id -> BigInt,
        owner_organisation_id -> BigInt,
        organisation_id -> BigInt,
        fiscal_year -> Integer,
        menu_code -> Text,
        menu_name -> Text,
        quantity -> Integer,
        unit_price_yen -> BigInt,
        approximate -> Bool,
        tax_excluded -> Bool,
        tax_yen -> BigInt,
        amount_yen -> BigInt,
        vendor_organisation_id -> Nullable<BigInt>,
        contract_number -> Text,
        contracted_on -> Nullable<Date>,
        completed_on -> Nullable<Date>,
        status -> Text,
        note -> Text,
        payer_rule -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    settlements (id) {
        id -> BigInt,
        programme_id -> BigInt,
        owner_organisation_id -> BigInt,
        fiscal_year -> Integer,
        dispatch_id -> Nullable<BigInt>,
        expert_id -> Nullable<BigInt>,
        period_from -> Nullable<Date>,
        period_to -> Nullable<Date>,
        order_id -> Nullable<BigInt>,
        status -> Text,
        document_number -> Text,
        confirmed_on -> Nullable<Date>,
        confirmed_by -> Nullable<BigInt>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    cost_items (id) {
        id -> BigInt,
        programme_id -> BigInt,
        owner_organisation_id -> BigInt,
        fiscal_year -> Integer,
        occurred_on -> Date,
        dispatch_id -> Nullable<BigInt>,
        visit_id -> Nullable<BigInt>,
        expert_id -> Nullable<BigInt>,
        order_id -> Nullable<BigInt>,
        settlement_id -> Nullable<BigInt>,
        adjusts_id -> Nullable<BigInt>,
        component -> Text,
        amount_yen -> BigInt,
        paid_directly_yen -> BigInt,
        paid_minutes -> Nullable<Integer>,
        first_paid_by -> Nullable<Text>,
        agreement_id -> Nullable<BigInt>,
        payer_rule -> Nullable<Text>,
        undisclosed -> Bool,
        approximate -> Bool,
        explanation -> Text,
        status -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    cost_shares (cost_item_id, place) {
        cost_item_id -> BigInt,
        place -> Integer,
        organisation_id -> Nullable<BigInt>,
        payer -> Text,
        amount_yen -> BigInt,
    }
}

diesel::table! {
    budget_entries (id) {
        id -> BigInt,
        programme_id -> BigInt,
        fiscal_year -> Integer,
        request_id -> Nullable<BigInt>,
        order_id -> Nullable<BigInt>,
        organisation_id -> BigInt,
        kind -> Text,
        delta_yen -> BigInt,
        own_bound_yen -> BigInt,
        bound_yen -> BigInt,
        limit_yen -> Nullable<BigInt>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    budget_warnings (programme_id, fiscal_year, percent) {
        programme_id -> BigInt,
        fiscal_year -> Integer,
        percent -> Integer,
        created_at -> Timestamp,
    }
}

diesel::table! {
    claims (id) {
        id -> BigInt,
        settlement_id -> BigInt,
        cost_item_id -> Nullable<BigInt>,
        owner_organisation_id -> BigInt,
        number -> Text,
        kind -> Text,
        creditor_organisation_id -> BigInt,
        debtor_organisation_id -> BigInt,
        amount_yen -> BigInt,
        paid_yen -> BigInt,
        issued_on -> Date,
        fiscal_year -> Integer,
        prior_year -> Bool,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    claim_instalments (claim_id, number) {
        claim_id -> BigInt,
        number -> Integer,
        due_on -> Date,
        amount_yen -> BigInt,
    }
}

diesel::table! {
    claim_payments (id) {
        id -> BigInt,
        claim_id -> BigInt,
        paid_on -> Date,
        amount_yen -> BigInt,
        note -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    expert_payments (id) {
        id -> BigInt,
        settlement_id -> BigInt,
        cost_item_id -> Nullable<BigInt>,
        owner_organisation_id -> BigInt,
        expert_id -> BigInt,
        payee_organisation_id -> Nullable<BigInt>,
        number -> Text,
        withholding_category -> Text,
        honorarium_yen -> BigInt,
        travel_yen -> BigInt,
        withholding_yen -> BigInt,
        net_yen -> BigInt,
        due_on -> Date,
        paid_on -> Nullable<Date>,
        fiscal_year -> Integer,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    closed_periods (id) {
        id -> BigInt,
        owner_organisation_id -> BigInt,
        fiscal_year -> Integer,
        month -> Integer,
        closed_by -> Nullable<BigInt>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    allocation_runs (id) {
        id -> BigInt,
        pool_id -> BigInt,
        owner_organisation_id -> BigInt,
        status -> Text,
        progress -> Integer,
        options -> Text,
        problem -> Text,
        certificate -> Text,
        result -> Text,
        note -> Text,
        created_by -> Nullable<BigInt>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        refused -> Nullable<Text>,
        failure -> Nullable<Text>,
    }
}

diesel::table! {
    allocation_members (run_id, request_id, position) {
        run_id -> BigInt,
        request_id -> BigInt,
        position -> Integer,
        expert_id -> BigInt,
        expert_version -> Nullable<BigInt>,
        offer_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    allocation_assignments (run_id, request_id) {
        run_id -> BigInt,
        request_id -> BigInt,
        expert_id -> Nullable<BigInt>,
        planned_expert_id -> Nullable<BigInt>,
        request_version -> BigInt,
        expert_version -> Nullable<BigInt>,
        override_reason -> Text,
        offer_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    documents (id) {
        id -> BigInt,
        owner_organisation_id -> BigInt,
        kind -> Text,
        fiscal_year -> Integer,
        number -> Text,
        title -> Text,
        recipient_organisation_id -> Nullable<BigInt>,
        request_id -> Nullable<BigInt>,
        dispatch_id -> Nullable<BigInt>,
        claim_id -> Nullable<BigInt>,
        payment_id -> Nullable<BigInt>,
        programme_id -> Nullable<BigInt>,
        html -> Text,
        sha256 -> Text,
        issued_by -> Nullable<BigInt>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    posting_days (posting_id, day) {
        posting_id -> BigInt,
        day -> Date,
        note -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    posting_amendments (id) {
        id -> BigInt,
        posting_id -> BigInt,
        document_number -> Text,
        old_to -> Date,
        new_to -> Date,
        reason -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    events (id) {
        id -> BigInt,
        kind -> Text,
        dedupe_key -> Text,
        owner_organisation_id -> BigInt,
        entity_kind -> Text,
        entity_id -> BigInt,
        request_id -> Nullable<BigInt>,
        occurred_at -> Timestamp,
    }
}

diesel::table! {
    expert_changes (id) {
        id -> BigInt,
        expert_id -> Nullable<BigInt>,
        xid -> BigInt,
    }
}

diesel::table! {
    expert_changes_forgotten (only_row) {
        only_row -> Integer,
        upto -> BigInt,
    }
}

diesel::table! {
    event_tellings (event_id) {
        event_id -> BigInt,
        told -> Text,
        attempts -> Integer,
        not_before -> Timestamp,
    }
}

diesel::table! {
    notices (id) {
        id -> BigInt,
        event_id -> BigInt,
        user_id -> BigInt,
        organisation_id -> Nullable<BigInt>,
        title -> Text,
        path -> Nullable<Text>,
        mail -> Text,
        created_at -> Timestamp,
        read_at -> Nullable<Timestamp>,
        digested_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    notification_preferences (user_id, topic) {
        user_id -> BigInt,
        topic -> Text,
        mail -> Text,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    webhook_endpoints (id) {
        id -> BigInt,
        organisation_id -> BigInt,
        url -> Text,
        description -> Text,
        events -> Text,
        status -> Text,
        disabled_reason -> Nullable<Text>,
        failing_since -> Nullable<Timestamp>,
        paused_until -> Nullable<Timestamp>,
        secret -> Text,
        previous_secret -> Nullable<Text>,
        previous_until -> Nullable<Timestamp>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    webhook_deliveries (id) {
        id -> BigInt,
        endpoint_id -> BigInt,
        event_id -> BigInt,
        message_id -> Text,
        status -> Text,
        attempts -> Integer,
        first_attempt_at -> Nullable<Timestamp>,
        next_attempt_at -> Timestamp,
        claimed_until -> Nullable<Timestamp>,
        delivered_at -> Nullable<Timestamp>,
        last_status -> Nullable<Integer>,
        last_failure -> Nullable<Text>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    webhook_attempts (id) {
        id -> BigInt,
        delivery_id -> BigInt,
        attempted_at -> Timestamp,
        status -> Nullable<Integer>,
        failure -> Nullable<Text>,
        milliseconds -> Integer,
    }
}

diesel::table! {
    calendar_feeds (id) {
        id -> BigInt,
        user_id -> BigInt,
        membership_id -> BigInt,
        pool_id -> Nullable<BigInt>,
        name -> Text,
        token_hash -> Text,
        created_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    saved_filters (id) {
        id -> BigInt,
        user_id -> BigInt,
        page -> Text,
        name -> Text,
        query -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    second_factors (user_id) {
        user_id -> BigInt,
        sealed_secret -> Text,
        confirmed_at -> Nullable<Timestamp>,
        last_step -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    recovery_codes (id) {
        id -> BigInt,
        user_id -> BigInt,
        code_hash -> Text,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::joinable!(second_factors -> users (user_id));
diesel::joinable!(populations -> organisations (organisation_id));
diesel::joinable!(memberships -> users (user_id));
diesel::joinable!(memberships -> organisations (organisation_id));
diesel::joinable!(user_tokens -> users (user_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(sessions -> memberships (membership_id));
diesel::joinable!(refresh_tokens -> sessions (session_id));
diesel::joinable!(api_clients -> organisations (organisation_id));
diesel::joinable!(api_clients -> users (created_by));
diesel::joinable!(delivery_attempts -> outbox_messages (outbox_message_id));
diesel::joinable!(outbox_messages -> organisations (owner_organisation_id));
diesel::joinable!(event_tellings -> events (event_id));
diesel::joinable!(notices -> events (event_id));
diesel::joinable!(notices -> users (user_id));
diesel::joinable!(webhook_deliveries -> webhook_endpoints (endpoint_id));
diesel::joinable!(webhook_deliveries -> events (event_id));
diesel::joinable!(webhook_attempts -> webhook_deliveries (delivery_id));
diesel::joinable!(calendar_feeds -> memberships (membership_id));
diesel::joinable!(calendar_feeds -> users (user_id));
diesel::joinable!(document_numbers -> organisations (owner_organisation_id));
diesel::joinable!(pools -> organisations (owner_organisation_id));
diesel::joinable!(pool_members -> pools (pool_id));
diesel::joinable!(pool_members -> organisations (organisation_id));
diesel::joinable!(programmes -> pools (pool_id));
diesel::joinable!(programme_years -> programmes (programme_id));
diesel::joinable!(skill_items -> skill_frameworks (framework_id));
diesel::joinable!(experts -> pools (pool_id));
diesel::joinable!(experts -> users (user_id));
diesel::joinable!(experts -> organisations (base_organisation_id));
diesel::joinable!(expert_skills -> experts (expert_id));
diesel::joinable!(expert_skills -> skill_items (skill_item_id));
diesel::joinable!(expert_areas -> experts (expert_id));
diesel::joinable!(expert_areas -> organisations (organisation_id));
diesel::joinable!(expert_weekly_slots -> experts (expert_id));
diesel::joinable!(expert_exceptions -> experts (expert_id));
diesel::joinable!(expert_conflicts -> experts (expert_id));
diesel::joinable!(expert_conflicts -> organisations (organisation_id));
diesel::joinable!(requests -> programmes (programme_id));
diesel::joinable!(requests -> users (filed_by_user_id));
diesel::joinable!(request_wished_dates -> requests (request_id));
diesel::joinable!(request_skills -> requests (request_id));
diesel::joinable!(request_skills -> skill_items (skill_item_id));
diesel::joinable!(request_preferences -> requests (request_id));
diesel::joinable!(request_preferences -> experts (expert_id));
diesel::joinable!(request_participants -> requests (request_id));
diesel::joinable!(request_participants -> organisations (organisation_id));
diesel::joinable!(request_participants -> users (consented_by));
diesel::joinable!(request_interests -> requests (request_id));
diesel::joinable!(request_interests -> organisations (organisation_id));
diesel::joinable!(request_messages -> requests (request_id));
diesel::joinable!(request_messages -> users (author_user_id));
diesel::joinable!(request_messages -> organisations (author_organisation_id));
diesel::joinable!(attachments -> requests (request_id));
diesel::joinable!(attachments -> users (uploaded_by));
diesel::joinable!(offers -> requests (request_id));
diesel::joinable!(offers -> experts (expert_id));
diesel::joinable!(offers -> users (proposed_by));
diesel::joinable!(offer_visits -> offers (offer_id));
diesel::joinable!(dispatches -> requests (request_id));
diesel::joinable!(dispatches -> programmes (programme_id));
diesel::joinable!(dispatches -> users (decided_by));
diesel::joinable!(dispatch_experts -> dispatches (dispatch_id));
diesel::joinable!(dispatch_experts -> offers (offer_id));
diesel::joinable!(dispatch_amendments -> dispatches (dispatch_id));
diesel::joinable!(dispatch_amendments -> users (amended_by));
diesel::joinable!(visits -> programmes (programme_id));
diesel::joinable!(visits -> experts (expert_id));
diesel::joinable!(visits -> requests (request_id));
diesel::joinable!(visits -> offers (offer_id));
diesel::joinable!(visits -> dispatches (dispatch_id));
diesel::joinable!(visit_participants -> visits (visit_id));
diesel::joinable!(visit_participants -> organisations (organisation_id));
diesel::joinable!(reports -> dispatches (dispatch_id));
diesel::joinable!(report_outcomes -> reports (report_id));
diesel::joinable!(evaluations -> dispatches (dispatch_id));
diesel::joinable!(evaluations -> experts (expert_id));
diesel::joinable!(evaluations -> users (created_by));
diesel::joinable!(postings -> programmes (programme_id));
diesel::joinable!(postings -> experts (expert_id));
diesel::joinable!(imports -> organisations (owner_organisation_id));
diesel::joinable!(imports -> pools (pool_id));
diesel::joinable!(imports -> programmes (programme_id));
diesel::joinable!(imports -> users (created_by));
diesel::joinable!(expert_payment_profiles -> experts (expert_id));
diesel::joinable!(expert_payment_profiles -> organisations (employer_organisation_id));
diesel::joinable!(cost_agreements -> requests (request_id));
diesel::joinable!(cost_agreements -> users (proposed_by));
diesel::joinable!(cost_agreement_bodies -> cost_agreements (agreement_id));
diesel::joinable!(cost_agreement_bodies -> organisations (organisation_id));
diesel::joinable!(cost_agreement_bodies -> users (consented_by));
diesel::joinable!(menu_orders -> programmes (programme_id));
diesel::joinable!(settlements -> programmes (programme_id));
diesel::joinable!(settlements -> organisations (owner_organisation_id));
diesel::joinable!(settlements -> dispatches (dispatch_id));
diesel::joinable!(settlements -> experts (expert_id));
diesel::joinable!(settlements -> menu_orders (order_id));
diesel::joinable!(settlements -> users (confirmed_by));
diesel::joinable!(cost_items -> programmes (programme_id));
diesel::joinable!(cost_items -> organisations (owner_organisation_id));
diesel::joinable!(cost_items -> dispatches (dispatch_id));
diesel::joinable!(cost_items -> visits (visit_id));
diesel::joinable!(cost_items -> experts (expert_id));
diesel::joinable!(cost_items -> menu_orders (order_id));
diesel::joinable!(cost_items -> settlements (settlement_id));
diesel::joinable!(cost_items -> cost_agreements (agreement_id));
diesel::joinable!(cost_shares -> cost_items (cost_item_id));
diesel::joinable!(cost_shares -> organisations (organisation_id));
diesel::joinable!(budget_entries -> programmes (programme_id));
diesel::joinable!(budget_entries -> requests (request_id));
diesel::joinable!(budget_entries -> menu_orders (order_id));
diesel::joinable!(budget_entries -> organisations (organisation_id));
diesel::joinable!(budget_warnings -> programmes (programme_id));
diesel::joinable!(claims -> settlements (settlement_id));
diesel::joinable!(claims -> cost_items (cost_item_id));
diesel::joinable!(claim_instalments -> claims (claim_id));
diesel::joinable!(claim_payments -> claims (claim_id));
diesel::joinable!(expert_payments -> settlements (settlement_id));
diesel::joinable!(expert_payments -> cost_items (cost_item_id));
diesel::joinable!(expert_payments -> experts (expert_id));
diesel::joinable!(closed_periods -> organisations (owner_organisation_id));
diesel::joinable!(closed_periods -> users (closed_by));
diesel::joinable!(allocation_runs -> pools (pool_id));
diesel::joinable!(allocation_runs -> users (created_by));
diesel::joinable!(allocation_assignments -> allocation_runs (run_id));
diesel::joinable!(allocation_members -> allocation_runs (run_id));
diesel::joinable!(allocation_assignments -> requests (request_id));
diesel::joinable!(allocation_assignments -> offers (offer_id));
diesel::joinable!(documents -> requests (request_id));
diesel::joinable!(documents -> dispatches (dispatch_id));
diesel::joinable!(documents -> claims (claim_id));
diesel::joinable!(documents -> expert_payments (payment_id));
diesel::joinable!(documents -> programmes (programme_id));
diesel::joinable!(documents -> users (issued_by));
diesel::joinable!(posting_days -> postings (posting_id));
diesel::joinable!(posting_amendments -> postings (posting_id));

diesel::allow_tables_to_appear_in_same_query!(
    organisations,
    populations,
    users,
    memberships,
    user_tokens,
    second_factors,
    recovery_codes,
    sessions,
    refresh_tokens,
    api_clients,
    audit_events,
    audit_seals,
    idempotency_records,
    outbox_messages,
    events,
    event_tellings,
    expert_changes,
    expert_changes_forgotten,
    notices,
    notification_preferences,
    webhook_endpoints,
    webhook_deliveries,
    webhook_attempts,
    calendar_feeds,
    saved_filters,
    delivery_attempts,
    undeliverable_addresses,
    mail_relay,
    job_leases,
    document_numbers,
    pools,
    pool_members,
    programmes,
    programme_years,
    skill_frameworks,
    skill_items,
    experts,
    expert_skills,
    expert_areas,
    expert_weekly_slots,
    expert_exceptions,
    expert_conflicts,
    requests,
    request_wished_dates,
    request_skills,
    request_preferences,
    request_participants,
    request_interests,
    request_messages,
    attachments,
    offers,
    offer_visits,
    dispatches,
    dispatch_experts,
    dispatch_amendments,
    visits,
    visit_participants,
    reports,
    report_outcomes,
    evaluations,
    postings,
    expert_payment_profiles,
    cost_agreements,
    cost_agreement_bodies,
    menu_orders,
    settlements,
    cost_items,
    cost_shares,
    budget_entries,
    budget_warnings,
    claims,
    claim_instalments,
    claim_payments,
    expert_payments,
    closed_periods,
    allocation_assignments,
    allocation_members,
    allocation_runs,
    documents,
    posting_days,
    posting_amendments,
    imports,
);
