-- section fill
-- statement
INSERT INTO remote_nodes (name, ae_title, host, port, may_send, receives_results, tls, url, token_file, requests_commitment, verifies, failures_in_a_row, paused_until, created_at, removed_at) VALUES ('archive'::VARCHAR, 'ARCHIVE'::VARCHAR, '127.0.0.1'::VARCHAR, 104::INTEGER, true, true, false, NULL::VARCHAR, NULL::VARCHAR, true, true, 0::INTEGER, NULL::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, NULL::TIMESTAMP WITH TIME ZONE) RETURNING remote_nodes.id
-- statement
INSERT INTO remote_nodes (name, ae_title, host, port, may_send, receives_results, tls, url, token_file, requests_commitment, verifies, failures_in_a_row, paused_until, created_at, removed_at) VALUES ('viewer'::VARCHAR, 'VIEWER'::VARCHAR, '127.0.0.1'::VARCHAR, 104::INTEGER, false, true, false, NULL::VARCHAR, NULL::VARCHAR, false, false, 0::INTEGER, NULL::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, NULL::TIMESTAMP WITH TIME ZONE) RETURNING remote_nodes.id
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.111'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING studies.id
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (1::BIGINT, '2.25.211'::VARCHAR, 'DX'::VARCHAR) RETURNING series.id
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (1::BIGINT, '2.25.311'::VARCHAR, '1.2.840.10008.5.1.4.1.1.1.1'::VARCHAR, '1.2.840.10008.1.2.1'::VARCHAR, 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm'::VARCHAR, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'::VARCHAR, 8000000::BIGINT, 'MODALITY'::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, true, NULL::VARCHAR, NULL::VARCHAR) RETURNING instances.id
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR, 1::BIGINT, 'SUPPRESS', 'QUEUED', NULL::VARCHAR, NULL::VARCHAR, 0::INTEGER, NULL::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, NULL::VARCHAR, NULL::TIMESTAMP WITH TIME ZONE, 0::INTEGER, 0::INTEGER, 0::INTEGER, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE)
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'queued'::VARCHAR, NULL, 'QUEUED', NULL::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.112'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING studies.id
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (2::BIGINT, '2.25.212'::VARCHAR, 'DX'::VARCHAR) RETURNING series.id
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (2::BIGINT, '2.25.312'::VARCHAR, '1.2.840.10008.5.1.4.1.1.1.1'::VARCHAR, '1.2.840.10008.1.2.1'::VARCHAR, 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm'::VARCHAR, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'::VARCHAR, 8000000::BIGINT, 'MODALITY'::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, true, NULL::VARCHAR, NULL::VARCHAR) RETURNING instances.id
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('d1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR, 2::BIGINT, 'SUPPRESS', 'QUEUED', NULL::VARCHAR, NULL::VARCHAR, 0::INTEGER, NULL::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, NULL::VARCHAR, NULL::TIMESTAMP WITH TIME ZONE, 0::INTEGER, 0::INTEGER, 0::INTEGER, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE)
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('d1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'queued'::VARCHAR, NULL, 'QUEUED', NULL::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.113'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING studies.id
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (3::BIGINT, '2.25.213'::VARCHAR, 'DX'::VARCHAR) RETURNING series.id
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (3::BIGINT, '2.25.313'::VARCHAR, '1.2.840.10008.5.1.4.1.1.1.1'::VARCHAR, '1.2.840.10008.1.2.1'::VARCHAR, 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm'::VARCHAR, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'::VARCHAR, 8000000::BIGINT, 'MODALITY'::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, true, NULL::VARCHAR, NULL::VARCHAR) RETURNING instances.id
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('742f7f93-83ff-421a-aea8-a046c2037634'::VARCHAR, 3::BIGINT, 'SUPPRESS', 'QUEUED', NULL::VARCHAR, NULL::VARCHAR, 0::INTEGER, NULL::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, NULL::VARCHAR, NULL::TIMESTAMP WITH TIME ZONE, 0::INTEGER, 0::INTEGER, 0::INTEGER, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE)
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('742f7f93-83ff-421a-aea8-a046c2037634'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'queued'::VARCHAR, NULL, 'QUEUED', NULL::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.114'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING studies.id
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (4::BIGINT, '2.25.214'::VARCHAR, 'DX'::VARCHAR) RETURNING series.id
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (4::BIGINT, '2.25.314'::VARCHAR, '1.2.840.10008.5.1.4.1.1.1.1'::VARCHAR, '1.2.840.10008.1.2.1'::VARCHAR, 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm'::VARCHAR, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'::VARCHAR, 8000000::BIGINT, 'MODALITY'::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, true, NULL::VARCHAR, NULL::VARCHAR) RETURNING instances.id
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('2dae0017-eed1-499c-b524-e473dca40894'::VARCHAR, 4::BIGINT, 'SUPPRESS', 'QUEUED', NULL::VARCHAR, NULL::VARCHAR, 0::INTEGER, NULL::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, NULL::VARCHAR, NULL::TIMESTAMP WITH TIME ZONE, 0::INTEGER, 0::INTEGER, 0::INTEGER, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE)
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('2dae0017-eed1-499c-b524-e473dca40894'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'queued'::VARCHAR, NULL, 'QUEUED', NULL::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.115'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING studies.id
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (5::BIGINT, '2.25.215'::VARCHAR, 'DX'::VARCHAR) RETURNING series.id
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (5::BIGINT, '2.25.315'::VARCHAR, '1.2.840.10008.5.1.4.1.1.1.1'::VARCHAR, '1.2.840.10008.1.2.1'::VARCHAR, 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm'::VARCHAR, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'::VARCHAR, 8000000::BIGINT, 'MODALITY'::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, true, NULL::VARCHAR, NULL::VARCHAR) RETURNING instances.id
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('4be0e90d-4485-49b3-9a67-fae99d93e6d5'::VARCHAR, 5::BIGINT, 'SUPPRESS', 'QUEUED', NULL::VARCHAR, NULL::VARCHAR, 0::INTEGER, NULL::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, NULL::VARCHAR, NULL::TIMESTAMP WITH TIME ZONE, 0::INTEGER, 0::INTEGER, 0::INTEGER, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE)
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('4be0e90d-4485-49b3-9a67-fae99d93e6d5'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'queued'::VARCHAR, NULL, 'QUEUED', NULL::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.116'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING studies.id
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (6::BIGINT, '2.25.216'::VARCHAR, 'DX'::VARCHAR) RETURNING series.id
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (6::BIGINT, '2.25.316'::VARCHAR, '1.2.840.10008.5.1.4.1.1.1.1'::VARCHAR, '1.2.840.10008.1.2.1'::VARCHAR, 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm'::VARCHAR, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'::VARCHAR, 8000000::BIGINT, 'MODALITY'::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, true, NULL::VARCHAR, NULL::VARCHAR) RETURNING instances.id
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('5940756c-6329-46fb-bf66-7c6268ce7366'::VARCHAR, 6::BIGINT, 'SUPPRESS', 'QUEUED', NULL::VARCHAR, NULL::VARCHAR, 0::INTEGER, NULL::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, NULL::VARCHAR, NULL::TIMESTAMP WITH TIME ZONE, 0::INTEGER, 0::INTEGER, 0::INTEGER, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE)
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('5940756c-6329-46fb-bf66-7c6268ce7366'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'queued'::VARCHAR, NULL, 'QUEUED', NULL::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.117'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING studies.id
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (7::BIGINT, '2.25.217'::VARCHAR, 'DX'::VARCHAR) RETURNING series.id
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (7::BIGINT, '2.25.317'::VARCHAR, '1.2.840.10008.5.1.4.1.1.1.1'::VARCHAR, '1.2.840.10008.1.2.1'::VARCHAR, 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm'::VARCHAR, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'::VARCHAR, 8000000::BIGINT, 'MODALITY'::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, true, NULL::VARCHAR, NULL::VARCHAR) RETURNING instances.id
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR, 7::BIGINT, 'SUPPRESS', 'QUEUED', NULL::VARCHAR, NULL::VARCHAR, 0::INTEGER, NULL::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, NULL::VARCHAR, NULL::TIMESTAMP WITH TIME ZONE, 0::INTEGER, 0::INTEGER, 0::INTEGER, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE)
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'queued'::VARCHAR, NULL, 'QUEUED', NULL::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.118'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING studies.id
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (8::BIGINT, '2.25.218'::VARCHAR, 'DX'::VARCHAR) RETURNING series.id
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (8::BIGINT, '2.25.318'::VARCHAR, '1.2.840.10008.5.1.4.1.1.1.1'::VARCHAR, '1.2.840.10008.1.2.1'::VARCHAR, 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm'::VARCHAR, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'::VARCHAR, 8000000::BIGINT, 'MODALITY'::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, false, 'BODY_PART_NOT_CHEST'::VARCHAR, 'a knee'::VARCHAR) RETURNING instances.id
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('2897dfcc-e5d9-4974-82a6-f44830881738'::VARCHAR, 8::BIGINT, 'REFUSAL_NOTICE', 'QUEUED', NULL::VARCHAR, NULL::VARCHAR, 0::INTEGER, NULL::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, NULL::VARCHAR, NULL::TIMESTAMP WITH TIME ZONE, 0::INTEGER, 0::INTEGER, 0::INTEGER, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE)
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('2897dfcc-e5d9-4974-82a6-f44830881738'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'queued'::VARCHAR, NULL, 'QUEUED', NULL::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.119'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING studies.id
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (9::BIGINT, '2.25.219'::VARCHAR, 'DX'::VARCHAR) RETURNING series.id
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (9::BIGINT, '2.25.319'::VARCHAR, '1.2.840.10008.5.1.4.1.1.1.1'::VARCHAR, '1.2.840.10008.1.2.1'::VARCHAR, 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm'::VARCHAR, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'::VARCHAR, 8000000::BIGINT, 'MODALITY'::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, false, 'BODY_PART_NOT_CHEST'::VARCHAR, 'found a knee'::VARCHAR) RETURNING instances.id
-- statement changes 1
UPDATE jobs SET state='RUNNING', reason_code=NULL::VARCHAR, reason_detail=NULL::VARCHAR, attempts=1::INTEGER, not_before=NULL::TIMESTAMP WITH TIME ZONE, lease_owner='gpu-1'::VARCHAR, lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, fencing_token=1::INTEGER, step=0::INTEGER, total_steps=0::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = '9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR AND jobs.state = 'QUEUED' AND jobs.fencing_token = 0::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'claimed'::VARCHAR, 'QUEUED', 'RUNNING', 'attempt 1 by gpu-1'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE jobs SET lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, step=1::INTEGER, total_steps=1::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = '9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1::INTEGER
-- statement changes 1
UPDATE jobs SET state='DERIVED', reason_code=NULL::VARCHAR, reason_detail=NULL::VARCHAR, lease_owner=NULL::VARCHAR, lease_expires_at=NULL::TIMESTAMP WITH TIME ZONE, model_name='bs-ldm-lite'::VARCHAR, model_sha256='ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'::VARCHAR, device='cpu'::VARCHAR, preview_source_path='preview/cc/c.png'::VARCHAR, preview_soft_path='preview/dd/d.png'::VARCHAR, preview_bone_path='preview/ee/e.png'::VARCHAR, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = '9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'derived'::VARCHAR, 'RUNNING', 'DERIVED', 'SOFT_TISSUE 2.25.311.1'::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO results (job_id, kind, replaces_id, sop_class_uid, sop_instance_uid, series_instance_uid, path, sha256, created_at) VALUES ('9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR, 'SOFT_TISSUE', NULL::BIGINT, '1.2.840.10008.5.1.4.1.1.1.1'::VARCHAR, '2.25.311.1'::VARCHAR, '2.25.42'::VARCHAR, 'derived/bb/b.dcm'::VARCHAR, 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING results.id
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR, 1::BIGINT, 1::BIGINT, 'PENDING', 0::INTEGER, 0::INTEGER, 0::INTEGER, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING deliveries.id
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_planned'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to archive'::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR, 1::BIGINT, 2::BIGINT, 'PENDING', 0::INTEGER, 0::INTEGER, 0::INTEGER, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING deliveries.id
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_planned'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to viewer'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE jobs SET state='RUNNING', reason_code=NULL::VARCHAR, reason_detail=NULL::VARCHAR, attempts=1::INTEGER, not_before=NULL::TIMESTAMP WITH TIME ZONE, lease_owner='gpu-1'::VARCHAR, lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, fencing_token=1::INTEGER, step=0::INTEGER, total_steps=0::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = 'd1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR AND jobs.state = 'QUEUED' AND jobs.fencing_token = 0::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('d1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'claimed'::VARCHAR, 'QUEUED', 'RUNNING', 'attempt 1 by gpu-1'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE jobs SET lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, step=1::INTEGER, total_steps=1::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = 'd1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1::INTEGER
-- statement changes 1
UPDATE jobs SET state='DERIVED', reason_code=NULL::VARCHAR, reason_detail=NULL::VARCHAR, lease_owner=NULL::VARCHAR, lease_expires_at=NULL::TIMESTAMP WITH TIME ZONE, model_name='bs-ldm-lite'::VARCHAR, model_sha256='ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'::VARCHAR, device='cpu'::VARCHAR, preview_source_path='preview/cc/c.png'::VARCHAR, preview_soft_path='preview/dd/d.png'::VARCHAR, preview_bone_path='preview/ee/e.png'::VARCHAR, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = 'd1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('d1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'derived'::VARCHAR, 'RUNNING', 'DERIVED', 'SOFT_TISSUE 2.25.312.1'::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO results (job_id, kind, replaces_id, sop_class_uid, sop_instance_uid, series_instance_uid, path, sha256, created_at) VALUES ('d1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR, 'SOFT_TISSUE', NULL::BIGINT, '1.2.840.10008.5.1.4.1.1.1.1'::VARCHAR, '2.25.312.1'::VARCHAR, '2.25.42'::VARCHAR, 'derived/bb/b.dcm'::VARCHAR, 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING results.id
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('d1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR, 2::BIGINT, 1::BIGINT, 'PENDING', 0::INTEGER, 0::INTEGER, 0::INTEGER, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING deliveries.id
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('d1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_planned'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to archive'::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('d1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR, 2::BIGINT, 2::BIGINT, 'PENDING', 0::INTEGER, 0::INTEGER, 0::INTEGER, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING deliveries.id
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('d1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_planned'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to viewer'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE jobs SET state='RUNNING', reason_code=NULL::VARCHAR, reason_detail=NULL::VARCHAR, attempts=1::INTEGER, not_before=NULL::TIMESTAMP WITH TIME ZONE, lease_owner='gpu-1'::VARCHAR, lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, fencing_token=1::INTEGER, step=0::INTEGER, total_steps=0::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = '742f7f93-83ff-421a-aea8-a046c2037634'::VARCHAR AND jobs.state = 'QUEUED' AND jobs.fencing_token = 0::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('742f7f93-83ff-421a-aea8-a046c2037634'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'claimed'::VARCHAR, 'QUEUED', 'RUNNING', 'attempt 1 by gpu-1'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE jobs SET lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, step=1::INTEGER, total_steps=1::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = '742f7f93-83ff-421a-aea8-a046c2037634'::VARCHAR AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1::INTEGER
-- statement changes 1
UPDATE jobs SET state='DERIVED', reason_code=NULL::VARCHAR, reason_detail=NULL::VARCHAR, lease_owner=NULL::VARCHAR, lease_expires_at=NULL::TIMESTAMP WITH TIME ZONE, model_name='bs-ldm-lite'::VARCHAR, model_sha256='ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'::VARCHAR, device='cpu'::VARCHAR, preview_source_path='preview/cc/c.png'::VARCHAR, preview_soft_path='preview/dd/d.png'::VARCHAR, preview_bone_path='preview/ee/e.png'::VARCHAR, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = '742f7f93-83ff-421a-aea8-a046c2037634'::VARCHAR AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('742f7f93-83ff-421a-aea8-a046c2037634'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'derived'::VARCHAR, 'RUNNING', 'DERIVED', 'SOFT_TISSUE 2.25.313.1'::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO results (job_id, kind, replaces_id, sop_class_uid, sop_instance_uid, series_instance_uid, path, sha256, created_at) VALUES ('742f7f93-83ff-421a-aea8-a046c2037634'::VARCHAR, 'SOFT_TISSUE', NULL::BIGINT, '1.2.840.10008.5.1.4.1.1.1.1'::VARCHAR, '2.25.313.1'::VARCHAR, '2.25.42'::VARCHAR, 'derived/bb/b.dcm'::VARCHAR, 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING results.id
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('742f7f93-83ff-421a-aea8-a046c2037634'::VARCHAR, 3::BIGINT, 1::BIGINT, 'PENDING', 0::INTEGER, 0::INTEGER, 0::INTEGER, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING deliveries.id
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('742f7f93-83ff-421a-aea8-a046c2037634'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_planned'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to archive'::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('742f7f93-83ff-421a-aea8-a046c2037634'::VARCHAR, 3::BIGINT, 2::BIGINT, 'PENDING', 0::INTEGER, 0::INTEGER, 0::INTEGER, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING deliveries.id
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('742f7f93-83ff-421a-aea8-a046c2037634'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_planned'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to viewer'::VARCHAR) RETURNING job_events.id
-- statement changes 2
UPDATE deliveries SET announced_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id IN (1::BIGINT, 2::BIGINT)
-- statement changes 1
UPDATE deliveries SET state='SENDING', attempts=1::INTEGER, not_before=NULL::TIMESTAMP WITH TIME ZONE, lease_owner='network-1'::VARCHAR, lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, fencing_token=1::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 1::BIGINT AND deliveries.state = 'PENDING' AND deliveries.fencing_token = 0::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_claimed'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to archive: attempt 1 by network-1'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE deliveries SET lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 1::BIGINT AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1::INTEGER
-- statement changes 1
UPDATE deliveries SET commitment_request_id=NULL::BIGINT, state='SENT', sent_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, lease_owner=NULL::VARCHAR, lease_expires_at=NULL::TIMESTAMP WITH TIME ZONE, dimse_status=0::INTEGER, reason_code=NULL::VARCHAR, reason_detail=NULL::VARCHAR, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 1::BIGINT AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_sent'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to archive: status 0x0000'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE deliveries SET state='SENDING', attempts=1::INTEGER, not_before=NULL::TIMESTAMP WITH TIME ZONE, lease_owner='network-1'::VARCHAR, lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, fencing_token=1::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 2::BIGINT AND deliveries.state = 'PENDING' AND deliveries.fencing_token = 0::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_claimed'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to viewer: attempt 1 by network-1'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE deliveries SET lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 2::BIGINT AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1::INTEGER
-- statement changes 1
UPDATE deliveries SET state='REPLACED', lease_owner=NULL::VARCHAR, lease_expires_at=NULL::TIMESTAMP WITH TIME ZONE, dimse_status=NULL::INTEGER, reason_code='SOP_CLASS_NOT_ACCEPTED'::VARCHAR, reason_detail=NULL::VARCHAR, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 2::BIGINT AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_replaced'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to viewer: SOP_CLASS_NOT_ACCEPTED: sent as Secondary Capture instead'::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO results (job_id, kind, replaces_id, sop_class_uid, sop_instance_uid, series_instance_uid, path, sha256, created_at) VALUES ('9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR, 'SOFT_TISSUE', 1::BIGINT, '1.2.840.10008.5.1.4.1.1.7'::VARCHAR, '2.25.311.1.7'::VARCHAR, '2.25.42'::VARCHAR, 'derived/cc/c.dcm'::VARCHAR, 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING results.id
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR, 4::BIGINT, 2::BIGINT, 'PENDING', 0::INTEGER, 0::INTEGER, 0::INTEGER, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING deliveries.id
-- statement changes 1
UPDATE jobs SET state='RUNNING', reason_code=NULL::VARCHAR, reason_detail=NULL::VARCHAR, attempts=1::INTEGER, not_before=NULL::TIMESTAMP WITH TIME ZONE, lease_owner='gpu-1'::VARCHAR, lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, fencing_token=1::INTEGER, step=0::INTEGER, total_steps=0::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = '2dae0017-eed1-499c-b524-e473dca40894'::VARCHAR AND jobs.state = 'QUEUED' AND jobs.fencing_token = 0::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('2dae0017-eed1-499c-b524-e473dca40894'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'claimed'::VARCHAR, 'QUEUED', 'RUNNING', 'attempt 1 by gpu-1'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE jobs SET state='FAILED', reason_code='PIXELS_UNREADABLE'::VARCHAR, reason_detail='found none'::VARCHAR, lease_owner=NULL::VARCHAR, lease_expires_at=NULL::TIMESTAMP WITH TIME ZONE, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = '2dae0017-eed1-499c-b524-e473dca40894'::VARCHAR AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('2dae0017-eed1-499c-b524-e473dca40894'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'failed'::VARCHAR, 'RUNNING', 'FAILED', 'PIXELS_UNREADABLE: found none'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE jobs SET state='RUNNING', reason_code=NULL::VARCHAR, reason_detail=NULL::VARCHAR, attempts=1::INTEGER, not_before=NULL::TIMESTAMP WITH TIME ZONE, lease_owner='gpu-1'::VARCHAR, lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, fencing_token=1::INTEGER, step=0::INTEGER, total_steps=0::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = '4be0e90d-4485-49b3-9a67-fae99d93e6d5'::VARCHAR AND jobs.state = 'QUEUED' AND jobs.fencing_token = 0::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('4be0e90d-4485-49b3-9a67-fae99d93e6d5'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'claimed'::VARCHAR, 'QUEUED', 'RUNNING', 'attempt 1 by gpu-1'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE jobs SET state='QUEUED', reason_code='OUT_OF_MEMORY'::VARCHAR, reason_detail='the device ran out of memory'::VARCHAR, not_before='2026-01-31 12:00:10+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, announced_at=NULL::TIMESTAMP WITH TIME ZONE, lease_owner=NULL::VARCHAR, lease_expires_at=NULL::TIMESTAMP WITH TIME ZONE, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = '4be0e90d-4485-49b3-9a67-fae99d93e6d5'::VARCHAR AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('4be0e90d-4485-49b3-9a67-fae99d93e6d5'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'released'::VARCHAR, 'RUNNING', 'QUEUED', 'OUT_OF_MEMORY: the device ran out of memory'::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO commitment_promises (transaction_uid, remote_node_id, requested, duplicate, attempts, not_before, lease_owner, lease_expires_at, fencing_token, created_at, reported_at, closed_at, reason_code, reason_detail) VALUES ('2.25.900'::VARCHAR, 1::BIGINT, '1.2.840.10008.5.1.4.1.1.1.1=2.25.31'::VARCHAR, false, 0::INTEGER, NULL::TIMESTAMP WITH TIME ZONE, NULL::VARCHAR, NULL::TIMESTAMP WITH TIME ZONE, 0::INTEGER, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, NULL::TIMESTAMP WITH TIME ZONE, NULL::TIMESTAMP WITH TIME ZONE, NULL::VARCHAR, NULL::VARCHAR) RETURNING commitment_promises.id
-- statement changes 2
UPDATE deliveries SET announced_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id IN (3::BIGINT, 4::BIGINT)
-- statement changes 1
UPDATE deliveries SET state='SENDING', attempts=1::INTEGER, not_before=NULL::TIMESTAMP WITH TIME ZONE, lease_owner='network-1'::VARCHAR, lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, fencing_token=1::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 4::BIGINT AND deliveries.state = 'PENDING' AND deliveries.fencing_token = 0::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('d1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_claimed'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to viewer: attempt 1 by network-1'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE remote_nodes SET failures_in_a_row=1::INTEGER WHERE remote_nodes.id = 2::BIGINT
-- statement changes 1
UPDATE deliveries SET state='PENDING', not_before='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, announced_at=NULL::TIMESTAMP WITH TIME ZONE, lease_owner=NULL::VARCHAR, lease_expires_at=NULL::TIMESTAMP WITH TIME ZONE, dimse_status=NULL::INTEGER, reason_code='NO_ANSWER'::VARCHAR, reason_detail='none'::VARCHAR, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 4::BIGINT AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('d1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_postponed'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to viewer: NO_ANSWER: none'::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO commitment_requests (transaction_uid, remote_node_id, state, attempts, not_before, fencing_token, created_at, reason_code, reason_detail, updated_at) VALUES ('2.25.254827109138382300641792237649448209322'::VARCHAR, 1::BIGINT, 'PLANNED', 0::INTEGER, NULL::TIMESTAMP WITH TIME ZONE, 0::INTEGER, '2026-01-31 12:00:05+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:05+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING commitment_requests.id
-- statement changes 1
UPDATE deliveries SET commitment_request_id=1::BIGINT WHERE deliveries.id IN (1::BIGINT) AND deliveries.state = 'SENT'
-- statement changes 1
UPDATE commitment_requests SET state='PLANNED', attempts=1::INTEGER, lease_owner='network-1'::VARCHAR, lease_expires_at='2026-01-31 12:00:35+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, fencing_token=1::INTEGER, requested_at='2026-01-31 12:00:05+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, updated_at='2026-01-31 12:00:05+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE commitment_requests.id = 1::BIGINT AND commitment_requests.state = 'PLANNED' AND commitment_requests.fencing_token = 0::INTEGER
-- statement changes 1
UPDATE jobs SET state='RUNNING', reason_code=NULL::VARCHAR, reason_detail=NULL::VARCHAR, attempts=1::INTEGER, not_before=NULL::TIMESTAMP WITH TIME ZONE, lease_owner='gpu-1'::VARCHAR, lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, fencing_token=1::INTEGER, step=0::INTEGER, total_steps=0::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = '5940756c-6329-46fb-bf66-7c6268ce7366'::VARCHAR AND jobs.state = 'QUEUED' AND jobs.fencing_token = 0::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('5940756c-6329-46fb-bf66-7c6268ce7366'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'claimed'::VARCHAR, 'QUEUED', 'RUNNING', 'attempt 1 by gpu-1'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE deliveries SET state='SENDING', attempts=1::INTEGER, not_before=NULL::TIMESTAMP WITH TIME ZONE, lease_owner='network-1'::VARCHAR, lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, fencing_token=1::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 3::BIGINT AND deliveries.state = 'PENDING' AND deliveries.fencing_token = 0::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('d1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_claimed'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to archive: attempt 1 by network-1'::VARCHAR) RETURNING job_events.id
-- section old_workers
-- statement changes 1
UPDATE jobs SET lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, step=1::INTEGER, total_steps=1::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = '5940756c-6329-46fb-bf66-7c6268ce7366'::VARCHAR AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1::INTEGER
-- statement changes 1
UPDATE jobs SET state='DERIVED', reason_code=NULL::VARCHAR, reason_detail=NULL::VARCHAR, lease_owner=NULL::VARCHAR, lease_expires_at=NULL::TIMESTAMP WITH TIME ZONE, model_name='bs-ldm-lite'::VARCHAR, model_sha256='ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'::VARCHAR, device='cpu'::VARCHAR, preview_source_path='preview/cc/c.png'::VARCHAR, preview_soft_path='preview/dd/d.png'::VARCHAR, preview_bone_path='preview/ee/e.png'::VARCHAR, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = '5940756c-6329-46fb-bf66-7c6268ce7366'::VARCHAR AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('5940756c-6329-46fb-bf66-7c6268ce7366'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'derived'::VARCHAR, 'RUNNING', 'DERIVED', 'SOFT_TISSUE 2.25.316.1'::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO results (job_id, kind, replaces_id, sop_class_uid, sop_instance_uid, series_instance_uid, path, sha256, created_at) VALUES ('5940756c-6329-46fb-bf66-7c6268ce7366'::VARCHAR, 'SOFT_TISSUE', NULL::BIGINT, '1.2.840.10008.5.1.4.1.1.1.1'::VARCHAR, '2.25.316.1'::VARCHAR, '2.25.42'::VARCHAR, 'derived/bb/b.dcm'::VARCHAR, 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING results.id
-- statement
SELECT instances.calling_ae_title, instances.body_part, series.modality 
FROM instances JOIN jobs ON jobs.instance_id = instances.id JOIN series ON series.id = instances.series_id 
WHERE jobs.id = '5940756c-6329-46fb-bf66-7c6268ce7366'::VARCHAR
-- statement
SELECT remote_nodes.id, remote_nodes.name 
FROM remote_nodes 
WHERE remote_nodes.receives_results AND remote_nodes.removed_at IS NULL ORDER BY remote_nodes.id
-- statement
SELECT results.id, results.kind 
FROM results 
WHERE results.job_id = '5940756c-6329-46fb-bf66-7c6268ce7366'::VARCHAR AND results.replaces_id IS NULL ORDER BY results.id
-- statement
SELECT deliveries.result_id, deliveries.remote_node_id 
FROM deliveries 
WHERE deliveries.job_id = '5940756c-6329-46fb-bf66-7c6268ce7366'::VARCHAR
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('5940756c-6329-46fb-bf66-7c6268ce7366'::VARCHAR, 5::BIGINT, 1::BIGINT, 'PENDING', 0::INTEGER, 0::INTEGER, 0::INTEGER, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING deliveries.id
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('5940756c-6329-46fb-bf66-7c6268ce7366'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_planned'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to archive'::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('5940756c-6329-46fb-bf66-7c6268ce7366'::VARCHAR, 5::BIGINT, 2::BIGINT, 'PENDING', 0::INTEGER, 0::INTEGER, 0::INTEGER, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING deliveries.id
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('5940756c-6329-46fb-bf66-7c6268ce7366'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_planned'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to viewer'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE deliveries SET lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 3::BIGINT AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1::INTEGER
-- statement
SELECT remote_nodes.id, remote_nodes.name, remote_nodes.ae_title, remote_nodes.host, remote_nodes.port, remote_nodes.may_send, remote_nodes.receives_results, remote_nodes.tls, remote_nodes.url, remote_nodes.token_file, remote_nodes.requests_commitment, remote_nodes.verifies, remote_nodes.failures_in_a_row, remote_nodes.paused_until, remote_nodes.created_at, remote_nodes.removed_at 
FROM remote_nodes 
WHERE remote_nodes.id = 1::BIGINT
-- statement
SELECT jobs.id, jobs.instance_id, jobs.purpose, jobs.state, jobs.reason_code, jobs.reason_detail, jobs.attempts, jobs.not_before, jobs.announced_at, jobs.lease_owner, jobs.lease_expires_at, jobs.fencing_token, jobs.step, jobs.total_steps, jobs.model_name, jobs.model_sha256, jobs.device, jobs.preview_source_path, jobs.preview_soft_path, jobs.preview_bone_path, jobs.created_at, jobs.updated_at 
FROM jobs 
WHERE jobs.id = 'd1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR FOR NO KEY UPDATE
-- statement changes 1
UPDATE deliveries SET commitment_request_id=NULL::BIGINT, state='SENT', sent_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, lease_owner=NULL::VARCHAR, lease_expires_at=NULL::TIMESTAMP WITH TIME ZONE, dimse_status=0::INTEGER, reason_code=NULL::VARCHAR, reason_detail=NULL::VARCHAR, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 3::BIGINT AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('d1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_sent'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to archive: status 0x0000'::VARCHAR) RETURNING job_events.id
-- statement
SELECT deliveries.state 
FROM deliveries 
WHERE deliveries.job_id = 'd1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR
-- statement changes 1
UPDATE commitment_requests SET state='REQUESTED', not_before=NULL::TIMESTAMP WITH TIME ZONE, lease_owner=NULL::VARCHAR, lease_expires_at=NULL::TIMESTAMP WITH TIME ZONE, expires_at='2026-01-31 13:00:06+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, reason_code=NULL::VARCHAR, reason_detail=NULL::VARCHAR, updated_at='2026-01-31 12:00:06+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE commitment_requests.id = 1::BIGINT AND commitment_requests.state = 'PLANNED' AND commitment_requests.fencing_token = 1::INTEGER
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.result_id, deliveries.remote_node_id, deliveries.commitment_request_id, deliveries.state, deliveries.attempts, deliveries.resends, deliveries.sent_at, deliveries.not_before, deliveries.announced_at, deliveries.lease_owner, deliveries.lease_expires_at, deliveries.fencing_token, deliveries.dimse_status, deliveries.reason_code, deliveries.reason_detail, deliveries.updated_at, results.id AS id_1, results.job_id AS job_id_1, results.kind, results.replaces_id, results.sop_class_uid, results.sop_instance_uid, results.series_instance_uid, results.path, results.sha256, results.created_at, studies.study_instance_uid 
FROM deliveries JOIN results ON results.id = deliveries.result_id JOIN jobs ON jobs.id = deliveries.job_id JOIN instances ON instances.id = jobs.instance_id JOIN series ON series.id = instances.series_id JOIN studies ON studies.id = series.study_id 
WHERE deliveries.commitment_request_id = 1::BIGINT AND deliveries.state = 'SENT' ORDER BY deliveries.job_id, deliveries.id
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR, '2026-01-31 12:00:06+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'commitment_requested'::VARCHAR, NULL, NULL, 'archive: 2.25.254827109138382300641792237649448209322'::VARCHAR) RETURNING job_events.id
-- statement
SELECT commitment_requests.id, commitment_requests.transaction_uid, commitment_requests.remote_node_id, commitment_requests.state, commitment_requests.attempts, commitment_requests.not_before, commitment_requests.lease_owner, commitment_requests.lease_expires_at, commitment_requests.fencing_token, commitment_requests.created_at, commitment_requests.requested_at, commitment_requests.expires_at, commitment_requests.reported_at, commitment_requests.reason_code, commitment_requests.reason_detail, commitment_requests.updated_at 
FROM commitment_requests 
WHERE commitment_requests.transaction_uid = '2.25.254827109138382300641792237649448209322'::VARCHAR FOR NO KEY UPDATE
-- statement changes 1
UPDATE commitment_requests SET state='REPORTED', not_before=NULL::TIMESTAMP WITH TIME ZONE, lease_owner=NULL::VARCHAR, lease_expires_at=NULL::TIMESTAMP WITH TIME ZONE, fencing_token=2::INTEGER, reported_at='2026-01-31 12:00:06+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, reason_code=NULL::VARCHAR, reason_detail='1 committed, 0 failed'::VARCHAR, updated_at='2026-01-31 12:00:06+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE commitment_requests.id = 1::BIGINT AND commitment_requests.state = 'REQUESTED' AND commitment_requests.fencing_token = 1::INTEGER
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.result_id, deliveries.remote_node_id, deliveries.commitment_request_id, deliveries.state, deliveries.attempts, deliveries.resends, deliveries.sent_at, deliveries.not_before, deliveries.announced_at, deliveries.lease_owner, deliveries.lease_expires_at, deliveries.fencing_token, deliveries.dimse_status, deliveries.reason_code, deliveries.reason_detail, deliveries.updated_at, results.id AS id_1, results.job_id AS job_id_1, results.kind, results.replaces_id, results.sop_class_uid, results.sop_instance_uid, results.series_instance_uid, results.path, results.sha256, results.created_at, studies.study_instance_uid 
FROM deliveries JOIN results ON results.id = deliveries.result_id JOIN jobs ON jobs.id = deliveries.job_id JOIN instances ON instances.id = jobs.instance_id JOIN series ON series.id = instances.series_id JOIN studies ON studies.id = series.study_id 
WHERE deliveries.commitment_request_id = 1::BIGINT AND deliveries.state = 'SENT' ORDER BY deliveries.job_id, deliveries.id
-- statement
SELECT deliveries.id 
FROM deliveries JOIN results ON results.id = deliveries.result_id 
WHERE results.sop_instance_uid IN ('2.25.311.1'::VARCHAR) AND deliveries.remote_node_id = 1::BIGINT AND deliveries.state = 'SENT' AND deliveries.sent_at <= '2026-01-31 12:00:05+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE ORDER BY deliveries.job_id, deliveries.id
-- statement
SELECT deliveries.job_id 
FROM deliveries 
WHERE deliveries.id IN (1::BIGINT)
-- statement
SELECT jobs.id, jobs.instance_id, jobs.purpose, jobs.state, jobs.reason_code, jobs.reason_detail, jobs.attempts, jobs.not_before, jobs.announced_at, jobs.lease_owner, jobs.lease_expires_at, jobs.fencing_token, jobs.step, jobs.total_steps, jobs.model_name, jobs.model_sha256, jobs.device, jobs.preview_source_path, jobs.preview_soft_path, jobs.preview_bone_path, jobs.created_at, jobs.updated_at 
FROM jobs 
WHERE jobs.id = '9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR FOR NO KEY UPDATE
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.result_id, deliveries.remote_node_id, deliveries.commitment_request_id, deliveries.state, deliveries.attempts, deliveries.resends, deliveries.sent_at, deliveries.not_before, deliveries.announced_at, deliveries.lease_owner, deliveries.lease_expires_at, deliveries.fencing_token, deliveries.dimse_status, deliveries.reason_code, deliveries.reason_detail, deliveries.updated_at 
FROM deliveries 
WHERE deliveries.id = 1::BIGINT
-- statement
SELECT jobs.id, jobs.instance_id, jobs.purpose, jobs.state, jobs.reason_code, jobs.reason_detail, jobs.attempts, jobs.not_before, jobs.announced_at, jobs.lease_owner, jobs.lease_expires_at, jobs.fencing_token, jobs.step, jobs.total_steps, jobs.model_name, jobs.model_sha256, jobs.device, jobs.preview_source_path, jobs.preview_soft_path, jobs.preview_bone_path, jobs.created_at, jobs.updated_at 
FROM jobs 
WHERE jobs.id = '9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR FOR NO KEY UPDATE
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.result_id, deliveries.remote_node_id, deliveries.commitment_request_id, deliveries.state, deliveries.attempts, deliveries.resends, deliveries.sent_at, deliveries.not_before, deliveries.announced_at, deliveries.lease_owner, deliveries.lease_expires_at, deliveries.fencing_token, deliveries.dimse_status, deliveries.reason_code, deliveries.reason_detail, deliveries.updated_at 
FROM deliveries 
WHERE deliveries.id = 1::BIGINT
-- statement
SELECT remote_nodes.id, remote_nodes.name, remote_nodes.ae_title, remote_nodes.host, remote_nodes.port, remote_nodes.may_send, remote_nodes.receives_results, remote_nodes.tls, remote_nodes.url, remote_nodes.token_file, remote_nodes.requests_commitment, remote_nodes.verifies, remote_nodes.failures_in_a_row, remote_nodes.paused_until, remote_nodes.created_at, remote_nodes.removed_at 
FROM remote_nodes 
WHERE remote_nodes.id = 1::BIGINT
-- statement
SELECT results.id, results.job_id, results.kind, results.replaces_id, results.sop_class_uid, results.sop_instance_uid, results.series_instance_uid, results.path, results.sha256, results.created_at 
FROM results 
WHERE results.id = 1::BIGINT
-- statement changes 1
UPDATE deliveries SET state='COMMITTED', fencing_token=2::INTEGER, updated_at='2026-01-31 12:00:06+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 1::BIGINT AND deliveries.state = 'SENT' AND deliveries.fencing_token = 1::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR, '2026-01-31 12:00:06+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_committed'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to archive: 2.25.254827109138382300641792237649448209322'::VARCHAR) RETURNING job_events.id
-- statement
SELECT deliveries.state 
FROM deliveries 
WHERE deliveries.job_id = '9b7815fa-b277-423b-8b8b-f98f87fd544d'::VARCHAR
-- statement
SELECT count(*) AS count_1 
FROM jobs 
WHERE jobs.state IN ('QUEUED', 'RUNNING')
-- statement
SELECT jobs.id, jobs.fencing_token 
FROM jobs 
WHERE jobs.state = 'RUNNING' AND jobs.lease_expires_at <= '2026-01-31 12:01:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE AND jobs.purpose = 'SUPPRESS' ORDER BY jobs.lease_expires_at 
 LIMIT 50::INTEGER FOR NO KEY UPDATE SKIP LOCKED
-- statement
SELECT jobs.id 
FROM jobs 
WHERE jobs.state = 'QUEUED' AND jobs.purpose = 'SUPPRESS' AND (jobs.not_before IS NULL OR jobs.not_before <= '2026-01-31 12:01:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) AND (jobs.announced_at IS NULL OR jobs.announced_at <= '2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) ORDER BY jobs.created_at, jobs.id 
 LIMIT 50::INTEGER FOR NO KEY UPDATE SKIP LOCKED
-- statement changes 2
UPDATE jobs SET announced_at='2026-01-31 12:01:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id IN ('4be0e90d-4485-49b3-9a67-fae99d93e6d5'::VARCHAR, 'ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR)
-- statement
SELECT jobs.id, jobs.fencing_token 
FROM jobs 
WHERE jobs.state = 'RUNNING' AND jobs.lease_expires_at <= '2026-01-31 12:01:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE AND jobs.purpose = 'REFUSAL_NOTICE' ORDER BY jobs.lease_expires_at 
 LIMIT 50::INTEGER FOR NO KEY UPDATE SKIP LOCKED
-- statement
SELECT jobs.id 
FROM jobs 
WHERE jobs.state = 'QUEUED' AND jobs.purpose = 'REFUSAL_NOTICE' AND (jobs.not_before IS NULL OR jobs.not_before <= '2026-01-31 12:01:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) AND (jobs.announced_at IS NULL OR jobs.announced_at <= '2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) ORDER BY jobs.created_at, jobs.id 
 LIMIT 50::INTEGER FOR NO KEY UPDATE SKIP LOCKED
-- statement changes 1
UPDATE jobs SET announced_at='2026-01-31 12:01:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id IN ('2897dfcc-e5d9-4974-82a6-f44830881738'::VARCHAR)
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.fencing_token 
FROM deliveries 
WHERE deliveries.state = 'SENDING' AND deliveries.lease_expires_at <= '2026-01-31 12:01:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE ORDER BY deliveries.lease_expires_at 
 LIMIT 50::INTEGER FOR NO KEY UPDATE SKIP LOCKED
-- statement
SELECT remote_nodes.id 
FROM remote_nodes 
WHERE (remote_nodes.paused_until IS NULL OR remote_nodes.paused_until <= '2026-01-31 12:01:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) AND (EXISTS (SELECT * 
FROM deliveries 
WHERE deliveries.remote_node_id = remote_nodes.id AND deliveries.state = 'PENDING')) ORDER BY remote_nodes.id
-- statement
SELECT deliveries.id 
FROM deliveries 
WHERE deliveries.remote_node_id = 1::BIGINT AND deliveries.state = 'PENDING' AND (deliveries.not_before IS NULL OR deliveries.not_before <= '2026-01-31 12:01:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) AND (deliveries.announced_at IS NULL OR deliveries.announced_at <= '2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) ORDER BY deliveries.id 
 LIMIT 25::INTEGER FOR NO KEY UPDATE SKIP LOCKED
-- statement
SELECT deliveries.id 
FROM deliveries 
WHERE deliveries.remote_node_id = 2::BIGINT AND deliveries.state = 'PENDING' AND (deliveries.not_before IS NULL OR deliveries.not_before <= '2026-01-31 12:01:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) AND (deliveries.announced_at IS NULL OR deliveries.announced_at <= '2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) ORDER BY deliveries.id 
 LIMIT 25::INTEGER FOR NO KEY UPDATE SKIP LOCKED
-- statement changes 6
UPDATE deliveries SET announced_at='2026-01-31 12:01:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id IN (5::BIGINT, 8::BIGINT, 4::BIGINT, 6::BIGINT, 7::BIGINT, 9::BIGINT)
-- statement
SELECT instances.sha256, instances.path 
FROM instances 
WHERE instances.sop_instance_uid = '2.25.320'::VARCHAR
-- statement
SELECT studies.id 
FROM studies 
WHERE studies.study_instance_uid = '2.25.120'::VARCHAR
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.120'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING studies.id
-- statement
SELECT series.id 
FROM series 
WHERE series.study_id = 10::BIGINT AND series.series_instance_uid = '2.25.220'::VARCHAR
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (10::BIGINT, '2.25.220'::VARCHAR, 'DX'::VARCHAR) RETURNING series.id
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (10::BIGINT, '2.25.320'::VARCHAR, '1.2.840.10008.5.1.4.1.1.1.1'::VARCHAR, '1.2.840.10008.1.2.1'::VARCHAR, 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm'::VARCHAR, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'::VARCHAR, 8000000::BIGINT, 'MODALITY'::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, true, NULL::VARCHAR, NULL::VARCHAR) RETURNING instances.id
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('f56c93b2-731c-4a56-b993-eff042e7b271'::VARCHAR, 10::BIGINT, 'SUPPRESS', 'QUEUED', NULL::VARCHAR, NULL::VARCHAR, 0::INTEGER, NULL::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, NULL::VARCHAR, NULL::TIMESTAMP WITH TIME ZONE, 0::INTEGER, 0::INTEGER, 0::INTEGER, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE)
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('f56c93b2-731c-4a56-b993-eff042e7b271'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'queued'::VARCHAR, NULL, 'QUEUED', NULL::VARCHAR) RETURNING job_events.id
-- statement
SELECT jobs.state, jobs.fencing_token, jobs.attempts, jobs.not_before, jobs.lease_expires_at, instances.path, instances.sha256, instances.sop_instance_uid, instances.open_questions, instances.reason_code, instances.reason_detail 
FROM jobs JOIN instances ON instances.id = jobs.instance_id 
WHERE jobs.id = 'ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR AND jobs.purpose = 'SUPPRESS'
-- statement changes 1
UPDATE jobs SET state='RUNNING', reason_code=NULL::VARCHAR, reason_detail=NULL::VARCHAR, attempts=1::INTEGER, not_before=NULL::TIMESTAMP WITH TIME ZONE, lease_owner='gpu-1'::VARCHAR, lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, fencing_token=1::INTEGER, step=0::INTEGER, total_steps=0::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = 'ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR AND jobs.state = 'QUEUED' AND jobs.fencing_token = 0::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'claimed'::VARCHAR, 'QUEUED', 'RUNNING', 'attempt 1 by gpu-1'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE jobs SET lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, step=1::INTEGER, total_steps=1::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = 'ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1::INTEGER
-- statement changes 1
UPDATE jobs SET state='DERIVED', reason_code=NULL::VARCHAR, reason_detail=NULL::VARCHAR, lease_owner=NULL::VARCHAR, lease_expires_at=NULL::TIMESTAMP WITH TIME ZONE, model_name='bs-ldm-lite'::VARCHAR, model_sha256='ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'::VARCHAR, device='cpu'::VARCHAR, preview_source_path='preview/cc/c.png'::VARCHAR, preview_soft_path='preview/dd/d.png'::VARCHAR, preview_bone_path='preview/ee/e.png'::VARCHAR, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = 'ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'derived'::VARCHAR, 'RUNNING', 'DERIVED', 'SOFT_TISSUE 2.25.317.1'::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO results (job_id, kind, replaces_id, sop_class_uid, sop_instance_uid, series_instance_uid, path, sha256, created_at) VALUES ('ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR, 'SOFT_TISSUE', NULL::BIGINT, '1.2.840.10008.5.1.4.1.1.1.1'::VARCHAR, '2.25.317.1'::VARCHAR, '2.25.42'::VARCHAR, 'derived/bb/b.dcm'::VARCHAR, 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING results.id
-- statement
SELECT instances.calling_ae_title, instances.body_part, series.modality 
FROM instances JOIN jobs ON jobs.instance_id = instances.id JOIN series ON series.id = instances.series_id 
WHERE jobs.id = 'ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR
-- statement
SELECT remote_nodes.id, remote_nodes.name 
FROM remote_nodes 
WHERE remote_nodes.receives_results AND remote_nodes.removed_at IS NULL ORDER BY remote_nodes.id
-- statement
SELECT results.id, results.kind 
FROM results 
WHERE results.job_id = 'ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR AND results.replaces_id IS NULL ORDER BY results.id
-- statement
SELECT deliveries.result_id, deliveries.remote_node_id 
FROM deliveries 
WHERE deliveries.job_id = 'ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR, 6::BIGINT, 1::BIGINT, 'PENDING', 0::INTEGER, 0::INTEGER, 0::INTEGER, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING deliveries.id
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_planned'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to archive'::VARCHAR) RETURNING job_events.id
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR, 6::BIGINT, 2::BIGINT, 'PENDING', 0::INTEGER, 0::INTEGER, 0::INTEGER, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING deliveries.id
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_planned'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to viewer'::VARCHAR) RETURNING job_events.id
-- statement
SELECT deliveries.id 
FROM deliveries 
WHERE deliveries.job_id = 'ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR AND deliveries.state = 'PENDING' ORDER BY deliveries.id
-- statement changes 2
UPDATE deliveries SET announced_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id IN (10::BIGINT, 11::BIGINT)
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.result_id, deliveries.remote_node_id, deliveries.commitment_request_id, deliveries.state, deliveries.attempts, deliveries.resends, deliveries.sent_at, deliveries.not_before, deliveries.announced_at, deliveries.lease_owner, deliveries.lease_expires_at, deliveries.fencing_token, deliveries.dimse_status, deliveries.reason_code, deliveries.reason_detail, deliveries.updated_at, results.id AS id_1, results.job_id AS job_id_1, results.kind, results.replaces_id, results.sop_class_uid, results.sop_instance_uid, results.series_instance_uid, results.path, results.sha256, results.created_at, remote_nodes.id AS id_2, remote_nodes.name, remote_nodes.ae_title, remote_nodes.host, remote_nodes.port, remote_nodes.may_send, remote_nodes.receives_results, remote_nodes.tls, remote_nodes.url, remote_nodes.token_file, remote_nodes.requests_commitment, remote_nodes.verifies, remote_nodes.failures_in_a_row, remote_nodes.paused_until, remote_nodes.created_at AS created_at_1, remote_nodes.removed_at, studies.study_instance_uid 
FROM deliveries JOIN jobs ON jobs.id = deliveries.job_id JOIN results ON results.id = deliveries.result_id JOIN remote_nodes ON remote_nodes.id = deliveries.remote_node_id JOIN instances ON instances.id = jobs.instance_id JOIN series ON series.id = instances.series_id JOIN studies ON studies.id = series.study_id 
WHERE deliveries.id = 10::BIGINT AND jobs.state = 'DERIVED'
-- statement
SELECT count(*) AS count_1 
FROM deliveries 
WHERE deliveries.remote_node_id = 1::BIGINT AND deliveries.state = 'SENDING' AND deliveries.lease_expires_at > '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE
-- statement changes 1
UPDATE deliveries SET state='SENDING', attempts=1::INTEGER, not_before=NULL::TIMESTAMP WITH TIME ZONE, lease_owner='network-1'::VARCHAR, lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, fencing_token=1::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 10::BIGINT AND deliveries.state = 'PENDING' AND deliveries.fencing_token = 0::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_claimed'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to archive: attempt 1 by network-1'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE deliveries SET lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 10::BIGINT AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1::INTEGER
-- statement
SELECT remote_nodes.id, remote_nodes.name, remote_nodes.ae_title, remote_nodes.host, remote_nodes.port, remote_nodes.may_send, remote_nodes.receives_results, remote_nodes.tls, remote_nodes.url, remote_nodes.token_file, remote_nodes.requests_commitment, remote_nodes.verifies, remote_nodes.failures_in_a_row, remote_nodes.paused_until, remote_nodes.created_at, remote_nodes.removed_at 
FROM remote_nodes 
WHERE remote_nodes.id = 1::BIGINT
-- statement
SELECT jobs.id, jobs.instance_id, jobs.purpose, jobs.state, jobs.reason_code, jobs.reason_detail, jobs.attempts, jobs.not_before, jobs.announced_at, jobs.lease_owner, jobs.lease_expires_at, jobs.fencing_token, jobs.step, jobs.total_steps, jobs.model_name, jobs.model_sha256, jobs.device, jobs.preview_source_path, jobs.preview_soft_path, jobs.preview_bone_path, jobs.created_at, jobs.updated_at 
FROM jobs 
WHERE jobs.id = 'ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR FOR NO KEY UPDATE
-- statement changes 1
UPDATE deliveries SET commitment_request_id=NULL::BIGINT, state='SENT', sent_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, lease_owner=NULL::VARCHAR, lease_expires_at=NULL::TIMESTAMP WITH TIME ZONE, dimse_status=0::INTEGER, reason_code=NULL::VARCHAR, reason_detail=NULL::VARCHAR, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 10::BIGINT AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_sent'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to archive: status 0x0000'::VARCHAR) RETURNING job_events.id
-- statement
SELECT deliveries.state 
FROM deliveries 
WHERE deliveries.job_id = 'ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.result_id, deliveries.remote_node_id, deliveries.commitment_request_id, deliveries.state, deliveries.attempts, deliveries.resends, deliveries.sent_at, deliveries.not_before, deliveries.announced_at, deliveries.lease_owner, deliveries.lease_expires_at, deliveries.fencing_token, deliveries.dimse_status, deliveries.reason_code, deliveries.reason_detail, deliveries.updated_at, results.id AS id_1, results.job_id AS job_id_1, results.kind, results.replaces_id, results.sop_class_uid, results.sop_instance_uid, results.series_instance_uid, results.path, results.sha256, results.created_at, remote_nodes.id AS id_2, remote_nodes.name, remote_nodes.ae_title, remote_nodes.host, remote_nodes.port, remote_nodes.may_send, remote_nodes.receives_results, remote_nodes.tls, remote_nodes.url, remote_nodes.token_file, remote_nodes.requests_commitment, remote_nodes.verifies, remote_nodes.failures_in_a_row, remote_nodes.paused_until, remote_nodes.created_at AS created_at_1, remote_nodes.removed_at, studies.study_instance_uid 
FROM deliveries JOIN jobs ON jobs.id = deliveries.job_id JOIN results ON results.id = deliveries.result_id JOIN remote_nodes ON remote_nodes.id = deliveries.remote_node_id JOIN instances ON instances.id = jobs.instance_id JOIN series ON series.id = instances.series_id JOIN studies ON studies.id = series.study_id 
WHERE deliveries.id = 11::BIGINT AND jobs.state = 'DERIVED'
-- statement
SELECT count(*) AS count_1 
FROM deliveries 
WHERE deliveries.remote_node_id = 2::BIGINT AND deliveries.state = 'SENDING' AND deliveries.lease_expires_at > '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE
-- statement changes 1
UPDATE deliveries SET state='SENDING', attempts=1::INTEGER, not_before=NULL::TIMESTAMP WITH TIME ZONE, lease_owner='network-1'::VARCHAR, lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, fencing_token=1::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 11::BIGINT AND deliveries.state = 'PENDING' AND deliveries.fencing_token = 0::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_claimed'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to viewer: attempt 1 by network-1'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE deliveries SET lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 11::BIGINT AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1::INTEGER
-- statement
SELECT remote_nodes.id, remote_nodes.name, remote_nodes.ae_title, remote_nodes.host, remote_nodes.port, remote_nodes.may_send, remote_nodes.receives_results, remote_nodes.tls, remote_nodes.url, remote_nodes.token_file, remote_nodes.requests_commitment, remote_nodes.verifies, remote_nodes.failures_in_a_row, remote_nodes.paused_until, remote_nodes.created_at, remote_nodes.removed_at 
FROM remote_nodes 
WHERE remote_nodes.id = 2::BIGINT
-- statement changes 1
UPDATE remote_nodes SET failures_in_a_row=0::INTEGER, paused_until=NULL::TIMESTAMP WITH TIME ZONE WHERE remote_nodes.id = 2::BIGINT
-- statement
SELECT jobs.id, jobs.instance_id, jobs.purpose, jobs.state, jobs.reason_code, jobs.reason_detail, jobs.attempts, jobs.not_before, jobs.announced_at, jobs.lease_owner, jobs.lease_expires_at, jobs.fencing_token, jobs.step, jobs.total_steps, jobs.model_name, jobs.model_sha256, jobs.device, jobs.preview_source_path, jobs.preview_soft_path, jobs.preview_bone_path, jobs.created_at, jobs.updated_at 
FROM jobs 
WHERE jobs.id = 'ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR FOR NO KEY UPDATE
-- statement
SELECT deliveries.result_id 
FROM deliveries 
WHERE deliveries.id = 11::BIGINT
-- statement changes 1
UPDATE deliveries SET state='REPLACED', lease_owner=NULL::VARCHAR, lease_expires_at=NULL::TIMESTAMP WITH TIME ZONE, dimse_status=NULL::INTEGER, reason_code='SOP_CLASS_NOT_ACCEPTED'::VARCHAR, reason_detail=NULL::VARCHAR, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 11::BIGINT AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_replaced'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to viewer: SOP_CLASS_NOT_ACCEPTED: sent as Secondary Capture instead'::VARCHAR) RETURNING job_events.id
-- statement
SELECT results.id 
FROM results 
WHERE results.replaces_id = 6::BIGINT AND results.job_id = 'ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR
-- statement
INSERT INTO results (job_id, kind, replaces_id, sop_class_uid, sop_instance_uid, series_instance_uid, path, sha256, created_at) VALUES ('ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR, 'SOFT_TISSUE', 6::BIGINT, '1.2.840.10008.5.1.4.1.1.7'::VARCHAR, '2.25.317.1.7'::VARCHAR, '2.25.42'::VARCHAR, 'derived/cc/c.dcm'::VARCHAR, 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING results.id
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('ffde8c6b-3dca-4394-bd99-04a1791249f8'::VARCHAR, 7::BIGINT, 2::BIGINT, 'PENDING', 0::INTEGER, 0::INTEGER, 0::INTEGER, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE) RETURNING deliveries.id
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.result_id, deliveries.remote_node_id, deliveries.commitment_request_id, deliveries.state, deliveries.attempts, deliveries.resends, deliveries.sent_at, deliveries.not_before, deliveries.announced_at, deliveries.lease_owner, deliveries.lease_expires_at, deliveries.fencing_token, deliveries.dimse_status, deliveries.reason_code, deliveries.reason_detail, deliveries.updated_at 
FROM deliveries 
WHERE deliveries.id = 3::BIGINT
-- statement
SELECT jobs.id, jobs.instance_id, jobs.purpose, jobs.state, jobs.reason_code, jobs.reason_detail, jobs.attempts, jobs.not_before, jobs.announced_at, jobs.lease_owner, jobs.lease_expires_at, jobs.fencing_token, jobs.step, jobs.total_steps, jobs.model_name, jobs.model_sha256, jobs.device, jobs.preview_source_path, jobs.preview_soft_path, jobs.preview_bone_path, jobs.created_at, jobs.updated_at 
FROM jobs 
WHERE jobs.id = 'd1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR FOR NO KEY UPDATE
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.result_id, deliveries.remote_node_id, deliveries.commitment_request_id, deliveries.state, deliveries.attempts, deliveries.resends, deliveries.sent_at, deliveries.not_before, deliveries.announced_at, deliveries.lease_owner, deliveries.lease_expires_at, deliveries.fencing_token, deliveries.dimse_status, deliveries.reason_code, deliveries.reason_detail, deliveries.updated_at 
FROM deliveries 
WHERE deliveries.id = 3::BIGINT
-- statement
SELECT remote_nodes.id, remote_nodes.name, remote_nodes.ae_title, remote_nodes.host, remote_nodes.port, remote_nodes.may_send, remote_nodes.receives_results, remote_nodes.tls, remote_nodes.url, remote_nodes.token_file, remote_nodes.requests_commitment, remote_nodes.verifies, remote_nodes.failures_in_a_row, remote_nodes.paused_until, remote_nodes.created_at, remote_nodes.removed_at 
FROM remote_nodes 
WHERE remote_nodes.id = 1::BIGINT
-- statement
SELECT results.id, results.job_id, results.kind, results.replaces_id, results.sop_class_uid, results.sop_instance_uid, results.series_instance_uid, results.path, results.sha256, results.created_at 
FROM results 
WHERE results.id = 2::BIGINT
-- statement changes 1
UPDATE deliveries SET state='VERIFIED', fencing_token=2::INTEGER, updated_at='2026-01-31 12:01:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE deliveries.id = 3::BIGINT AND deliveries.state = 'SENT' AND deliveries.fencing_token = 1::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('d1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR, '2026-01-31 12:01:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'delivery_verified'::VARCHAR, NULL, NULL, 'SOFT_TISSUE to archive: listed'::VARCHAR) RETURNING job_events.id
-- statement
SELECT deliveries.state 
FROM deliveries 
WHERE deliveries.job_id = 'd1d5d2d6-beb7-405a-a59d-8cb9583e21c9'::VARCHAR
-- statement
SELECT jobs.state, jobs.fencing_token, jobs.attempts, jobs.not_before, jobs.lease_expires_at, instances.path, instances.sha256, instances.sop_instance_uid, instances.open_questions, instances.reason_code, instances.reason_detail 
FROM jobs JOIN instances ON instances.id = jobs.instance_id 
WHERE jobs.id = 'f56c93b2-731c-4a56-b993-eff042e7b271'::VARCHAR AND jobs.purpose = 'SUPPRESS'
-- statement changes 1
UPDATE jobs SET state='RUNNING', reason_code=NULL::VARCHAR, reason_detail=NULL::VARCHAR, attempts=1::INTEGER, not_before=NULL::TIMESTAMP WITH TIME ZONE, lease_owner='gpu-1'::VARCHAR, lease_expires_at='2026-01-31 12:00:30+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, fencing_token=1::INTEGER, step=0::INTEGER, total_steps=0::INTEGER, updated_at='2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = 'f56c93b2-731c-4a56-b993-eff042e7b271'::VARCHAR AND jobs.state = 'QUEUED' AND jobs.fencing_token = 0::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('f56c93b2-731c-4a56-b993-eff042e7b271'::VARCHAR, '2026-01-31 12:00:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'claimed'::VARCHAR, 'QUEUED', 'RUNNING', 'attempt 1 by gpu-1'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE jobs SET state='REFUSED', reason_code='NOT_FRONTAL'::VARCHAR, reason_detail='lateral'::VARCHAR, lease_owner=NULL::VARCHAR, lease_expires_at=NULL::TIMESTAMP WITH TIME ZONE, updated_at='2026-01-31 12:01:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE WHERE jobs.id = 'f56c93b2-731c-4a56-b993-eff042e7b271'::VARCHAR AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1::INTEGER
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('f56c93b2-731c-4a56-b993-eff042e7b271'::VARCHAR, '2026-01-31 12:01:00+00:00'::timestamptz::TIMESTAMP WITH TIME ZONE, 'refused'::VARCHAR, 'RUNNING', 'REFUSED', 'NOT_FRONTAL: lateral'::VARCHAR) RETURNING job_events.id
-- statement changes 1
UPDATE instances SET eligible=false, reason_code='NOT_FRONTAL'::VARCHAR, reason_detail='lateral'::VARCHAR WHERE instances.id = (SELECT jobs.instance_id 
FROM jobs 
WHERE jobs.id = 'f56c93b2-731c-4a56-b993-eff042e7b271'::VARCHAR)
