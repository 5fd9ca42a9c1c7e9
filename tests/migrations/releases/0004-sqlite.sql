-- section fill
-- statement
INSERT INTO remote_nodes (name, ae_title, host, port, may_send, receives_results, tls, url, token_file, requests_commitment, verifies, failures_in_a_row, paused_until, created_at, removed_at) VALUES ('archive', 'ARCHIVE', '127.0.0.1', 104, 1, 1, 0, NULL, NULL, 1, 1, 0, NULL, '2026-01-31 12:00:00.000000', NULL)
-- statement
INSERT INTO remote_nodes (name, ae_title, host, port, may_send, receives_results, tls, url, token_file, requests_commitment, verifies, failures_in_a_row, paused_until, created_at, removed_at) VALUES ('viewer', 'VIEWER', '127.0.0.1', 104, 0, 1, 0, NULL, NULL, 0, 0, 0, NULL, '2026-01-31 12:00:00.000000', NULL)
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.11', '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (1, '2.25.21', 'DX')
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (1, '2.25.31', '1.2.840.10008.5.1.4.1.1.1.1', '1.2.840.10008.1.2.1', 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 8000000, 'MODALITY', NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', 1, NULL, NULL)
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('9182a67c-57bb-4610-b3d5-85079d3418bd', 1, 'SUPPRESS', 'QUEUED', NULL, NULL, 0, NULL, '2026-01-31 12:00:00.000000', NULL, NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9182a67c-57bb-4610-b3d5-85079d3418bd', '2026-01-31 12:00:00.000000', 'queued', NULL, 'QUEUED', NULL)
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.12', '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (2, '2.25.22', 'DX')
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (2, '2.25.32', '1.2.840.10008.5.1.4.1.1.1.1', '1.2.840.10008.1.2.1', 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 8000000, 'MODALITY', NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', 1, NULL, NULL)
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('08bb1880-4a1a-4c47-b726-fcacabc15d3c', 2, 'SUPPRESS', 'QUEUED', NULL, NULL, 0, NULL, '2026-01-31 12:00:00.000000', NULL, NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('08bb1880-4a1a-4c47-b726-fcacabc15d3c', '2026-01-31 12:00:00.000000', 'queued', NULL, 'QUEUED', NULL)
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.13', '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (3, '2.25.23', 'DX')
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (3, '2.25.33', '1.2.840.10008.5.1.4.1.1.1.1', '1.2.840.10008.1.2.1', 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 8000000, 'MODALITY', NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', 1, NULL, NULL)
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('45782aae-a682-418a-a02c-7fcd56858395', 3, 'SUPPRESS', 'QUEUED', NULL, NULL, 0, NULL, '2026-01-31 12:00:00.000000', NULL, NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('45782aae-a682-418a-a02c-7fcd56858395', '2026-01-31 12:00:00.000000', 'queued', NULL, 'QUEUED', NULL)
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.14', '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (4, '2.25.24', 'DX')
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (4, '2.25.34', '1.2.840.10008.5.1.4.1.1.1.1', '1.2.840.10008.1.2.1', 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 8000000, 'MODALITY', NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', 1, NULL, NULL)
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('2ec0ebeb-e4fa-47d8-8b84-38b9a6e40348', 4, 'SUPPRESS', 'QUEUED', NULL, NULL, 0, NULL, '2026-01-31 12:00:00.000000', NULL, NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('2ec0ebeb-e4fa-47d8-8b84-38b9a6e40348', '2026-01-31 12:00:00.000000', 'queued', NULL, 'QUEUED', NULL)
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.15', '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (5, '2.25.25', 'DX')
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (5, '2.25.35', '1.2.840.10008.5.1.4.1.1.1.1', '1.2.840.10008.1.2.1', 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 8000000, 'MODALITY', NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', 1, NULL, NULL)
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('e506e588-aaa8-4afb-b0b4-ec554f9fe745', 5, 'SUPPRESS', 'QUEUED', NULL, NULL, 0, NULL, '2026-01-31 12:00:00.000000', NULL, NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('e506e588-aaa8-4afb-b0b4-ec554f9fe745', '2026-01-31 12:00:00.000000', 'queued', NULL, 'QUEUED', NULL)
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.16', '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (6, '2.25.26', 'DX')
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (6, '2.25.36', '1.2.840.10008.5.1.4.1.1.1.1', '1.2.840.10008.1.2.1', 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 8000000, 'MODALITY', NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', 1, NULL, NULL)
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('caf5ac5a-406b-4f35-b75b-0e37ea89376d', 6, 'SUPPRESS', 'QUEUED', NULL, NULL, 0, NULL, '2026-01-31 12:00:00.000000', NULL, NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('caf5ac5a-406b-4f35-b75b-0e37ea89376d', '2026-01-31 12:00:00.000000', 'queued', NULL, 'QUEUED', NULL)
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.17', '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (7, '2.25.27', 'DX')
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (7, '2.25.37', '1.2.840.10008.5.1.4.1.1.1.1', '1.2.840.10008.1.2.1', 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 8000000, 'MODALITY', NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', 1, NULL, NULL)
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('3798bdf4-626d-4e7d-8ede-43f2efc8cd31', 7, 'SUPPRESS', 'QUEUED', NULL, NULL, 0, NULL, '2026-01-31 12:00:00.000000', NULL, NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('3798bdf4-626d-4e7d-8ede-43f2efc8cd31', '2026-01-31 12:00:00.000000', 'queued', NULL, 'QUEUED', NULL)
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.18', '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (8, '2.25.28', 'DX')
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (8, '2.25.38', '1.2.840.10008.5.1.4.1.1.1.1', '1.2.840.10008.1.2.1', 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 8000000, 'MODALITY', NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', 0, 'BODY_PART_NOT_CHEST', 'a knee')
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('bd62971b-ec8c-466c-b958-c287fc456562', 8, 'REFUSAL_NOTICE', 'QUEUED', NULL, NULL, 0, NULL, '2026-01-31 12:00:00.000000', NULL, NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('bd62971b-ec8c-466c-b958-c287fc456562', '2026-01-31 12:00:00.000000', 'queued', NULL, 'QUEUED', NULL)
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.19', '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (9, '2.25.29', 'DX')
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (9, '2.25.39', '1.2.840.10008.5.1.4.1.1.1.1', '1.2.840.10008.1.2.1', 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 8000000, 'MODALITY', NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', 0, 'BODY_PART_NOT_CHEST', 'found a knee')
-- statement changes 1
UPDATE jobs SET state='RUNNING', reason_code=NULL, reason_detail=NULL, attempts=1, not_before=NULL, lease_owner='gpu-1', lease_expires_at='2026-01-31 12:00:30.000000', fencing_token=1, step=0, total_steps=0, updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = '9182a67c-57bb-4610-b3d5-85079d3418bd' AND jobs.state = 'QUEUED' AND jobs.fencing_token = 0
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9182a67c-57bb-4610-b3d5-85079d3418bd', '2026-01-31 12:00:00.000000', 'claimed', 'QUEUED', 'RUNNING', 'attempt 1 by gpu-1')
-- statement changes 1
UPDATE jobs SET lease_expires_at='2026-01-31 12:00:30.000000', step=1, total_steps=1, updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = '9182a67c-57bb-4610-b3d5-85079d3418bd' AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1
-- statement changes 1
UPDATE jobs SET state='DERIVED', reason_code=NULL, reason_detail=NULL, lease_owner=NULL, lease_expires_at=NULL, model_name='bs-ldm-lite', model_sha256='ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', device='cpu', preview_source_path='preview/cc/c.png', preview_soft_path='preview/dd/d.png', preview_bone_path='preview/ee/e.png', updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = '9182a67c-57bb-4610-b3d5-85079d3418bd' AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9182a67c-57bb-4610-b3d5-85079d3418bd', '2026-01-31 12:00:00.000000', 'derived', 'RUNNING', 'DERIVED', 'SOFT_TISSUE 2.25.31.1')
-- statement
INSERT INTO results (job_id, kind, replaces_id, sop_class_uid, sop_instance_uid, series_instance_uid, path, sha256, created_at) VALUES ('9182a67c-57bb-4610-b3d5-85079d3418bd', 'SOFT_TISSUE', NULL, '1.2.840.10008.5.1.4.1.1.1.1', '2.25.31.1', '2.25.42', 'derived/bb/b.dcm', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('9182a67c-57bb-4610-b3d5-85079d3418bd', 1, 1, 'PENDING', 0, 0, 0, '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9182a67c-57bb-4610-b3d5-85079d3418bd', '2026-01-31 12:00:00.000000', 'delivery_planned', NULL, NULL, 'SOFT_TISSUE to archive')
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('9182a67c-57bb-4610-b3d5-85079d3418bd', 1, 2, 'PENDING', 0, 0, 0, '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9182a67c-57bb-4610-b3d5-85079d3418bd', '2026-01-31 12:00:00.000000', 'delivery_planned', NULL, NULL, 'SOFT_TISSUE to viewer')
-- statement changes 1
UPDATE jobs SET state='RUNNING', reason_code=NULL, reason_detail=NULL, attempts=1, not_before=NULL, lease_owner='gpu-1', lease_expires_at='2026-01-31 12:00:30.000000', fencing_token=1, step=0, total_steps=0, updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = '08bb1880-4a1a-4c47-b726-fcacabc15d3c' AND jobs.state = 'QUEUED' AND jobs.fencing_token = 0
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('08bb1880-4a1a-4c47-b726-fcacabc15d3c', '2026-01-31 12:00:00.000000', 'claimed', 'QUEUED', 'RUNNING', 'attempt 1 by gpu-1')
-- statement changes 1
UPDATE jobs SET lease_expires_at='2026-01-31 12:00:30.000000', step=1, total_steps=1, updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = '08bb1880-4a1a-4c47-b726-fcacabc15d3c' AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1
-- statement changes 1
UPDATE jobs SET state='DERIVED', reason_code=NULL, reason_detail=NULL, lease_owner=NULL, lease_expires_at=NULL, model_name='bs-ldm-lite', model_sha256='ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', device='cpu', preview_source_path='preview/cc/c.png', preview_soft_path='preview/dd/d.png', preview_bone_path='preview/ee/e.png', updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = '08bb1880-4a1a-4c47-b726-fcacabc15d3c' AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('08bb1880-4a1a-4c47-b726-fcacabc15d3c', '2026-01-31 12:00:00.000000', 'derived', 'RUNNING', 'DERIVED', 'SOFT_TISSUE 2.25.32.1')
-- statement
INSERT INTO results (job_id, kind, replaces_id, sop_class_uid, sop_instance_uid, series_instance_uid, path, sha256, created_at) VALUES ('08bb1880-4a1a-4c47-b726-fcacabc15d3c', 'SOFT_TISSUE', NULL, '1.2.840.10008.5.1.4.1.1.1.1', '2.25.32.1', '2.25.42', 'derived/bb/b.dcm', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('08bb1880-4a1a-4c47-b726-fcacabc15d3c', 2, 1, 'PENDING', 0, 0, 0, '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('08bb1880-4a1a-4c47-b726-fcacabc15d3c', '2026-01-31 12:00:00.000000', 'delivery_planned', NULL, NULL, 'SOFT_TISSUE to archive')
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('08bb1880-4a1a-4c47-b726-fcacabc15d3c', 2, 2, 'PENDING', 0, 0, 0, '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('08bb1880-4a1a-4c47-b726-fcacabc15d3c', '2026-01-31 12:00:00.000000', 'delivery_planned', NULL, NULL, 'SOFT_TISSUE to viewer')
-- statement changes 1
UPDATE jobs SET state='RUNNING', reason_code=NULL, reason_detail=NULL, attempts=1, not_before=NULL, lease_owner='gpu-1', lease_expires_at='2026-01-31 12:00:30.000000', fencing_token=1, step=0, total_steps=0, updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = '45782aae-a682-418a-a02c-7fcd56858395' AND jobs.state = 'QUEUED' AND jobs.fencing_token = 0
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('45782aae-a682-418a-a02c-7fcd56858395', '2026-01-31 12:00:00.000000', 'claimed', 'QUEUED', 'RUNNING', 'attempt 1 by gpu-1')
-- statement changes 1
UPDATE jobs SET lease_expires_at='2026-01-31 12:00:30.000000', step=1, total_steps=1, updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = '45782aae-a682-418a-a02c-7fcd56858395' AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1
-- statement changes 1
UPDATE jobs SET state='DERIVED', reason_code=NULL, reason_detail=NULL, lease_owner=NULL, lease_expires_at=NULL, model_name='bs-ldm-lite', model_sha256='ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', device='cpu', preview_source_path='preview/cc/c.png', preview_soft_path='preview/dd/d.png', preview_bone_path='preview/ee/e.png', updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = '45782aae-a682-418a-a02c-7fcd56858395' AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('45782aae-a682-418a-a02c-7fcd56858395', '2026-01-31 12:00:00.000000', 'derived', 'RUNNING', 'DERIVED', 'SOFT_TISSUE 2.25.33.1')
-- statement
INSERT INTO results (job_id, kind, replaces_id, sop_class_uid, sop_instance_uid, series_instance_uid, path, sha256, created_at) VALUES ('45782aae-a682-418a-a02c-7fcd56858395', 'SOFT_TISSUE', NULL, '1.2.840.10008.5.1.4.1.1.1.1', '2.25.33.1', '2.25.42', 'derived/bb/b.dcm', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('45782aae-a682-418a-a02c-7fcd56858395', 3, 1, 'PENDING', 0, 0, 0, '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('45782aae-a682-418a-a02c-7fcd56858395', '2026-01-31 12:00:00.000000', 'delivery_planned', NULL, NULL, 'SOFT_TISSUE to archive')
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('45782aae-a682-418a-a02c-7fcd56858395', 3, 2, 'PENDING', 0, 0, 0, '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('45782aae-a682-418a-a02c-7fcd56858395', '2026-01-31 12:00:00.000000', 'delivery_planned', NULL, NULL, 'SOFT_TISSUE to viewer')
-- statement changes 2
UPDATE deliveries SET announced_at='2026-01-31 12:00:00.000000' WHERE deliveries.id IN (1, 2)
-- statement changes 1
UPDATE deliveries SET state='SENDING', attempts=1, not_before=NULL, lease_owner='network-1', lease_expires_at='2026-01-31 12:00:30.000000', fencing_token=1, updated_at='2026-01-31 12:00:00.000000' WHERE deliveries.id = 1 AND deliveries.state = 'PENDING' AND deliveries.fencing_token = 0
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9182a67c-57bb-4610-b3d5-85079d3418bd', '2026-01-31 12:00:00.000000', 'delivery_claimed', NULL, NULL, 'SOFT_TISSUE to archive: attempt 1 by network-1')
-- statement changes 1
UPDATE deliveries SET lease_expires_at='2026-01-31 12:00:30.000000', updated_at='2026-01-31 12:00:00.000000' WHERE deliveries.id = 1 AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1
-- statement changes 1
UPDATE deliveries SET commitment_request_id=NULL, state='SENT', sent_at='2026-01-31 12:00:00.000000', lease_owner=NULL, lease_expires_at=NULL, dimse_status=0, reason_code=NULL, reason_detail=NULL, updated_at='2026-01-31 12:00:00.000000' WHERE deliveries.id = 1 AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9182a67c-57bb-4610-b3d5-85079d3418bd', '2026-01-31 12:00:00.000000', 'delivery_sent', NULL, NULL, 'SOFT_TISSUE to archive: status 0x0000')
-- statement changes 1
UPDATE deliveries SET state='SENDING', attempts=1, not_before=NULL, lease_owner='network-1', lease_expires_at='2026-01-31 12:00:30.000000', fencing_token=1, updated_at='2026-01-31 12:00:00.000000' WHERE deliveries.id = 2 AND deliveries.state = 'PENDING' AND deliveries.fencing_token = 0
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9182a67c-57bb-4610-b3d5-85079d3418bd', '2026-01-31 12:00:00.000000', 'delivery_claimed', NULL, NULL, 'SOFT_TISSUE to viewer: attempt 1 by network-1')
-- statement changes 1
UPDATE deliveries SET lease_expires_at='2026-01-31 12:00:30.000000', updated_at='2026-01-31 12:00:00.000000' WHERE deliveries.id = 2 AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1
-- statement changes 1
UPDATE deliveries SET state='REPLACED', lease_owner=NULL, lease_expires_at=NULL, dimse_status=NULL, reason_code='SOP_CLASS_NOT_ACCEPTED', reason_detail=NULL, updated_at='2026-01-31 12:00:00.000000' WHERE deliveries.id = 2 AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9182a67c-57bb-4610-b3d5-85079d3418bd', '2026-01-31 12:00:00.000000', 'delivery_replaced', NULL, NULL, 'SOFT_TISSUE to viewer: SOP_CLASS_NOT_ACCEPTED: sent as Secondary Capture instead')
-- statement
INSERT INTO results (job_id, kind, replaces_id, sop_class_uid, sop_instance_uid, series_instance_uid, path, sha256, created_at) VALUES ('9182a67c-57bb-4610-b3d5-85079d3418bd', 'SOFT_TISSUE', 1, '1.2.840.10008.5.1.4.1.1.7', '2.25.31.1.7', '2.25.42', 'derived/cc/c.dcm', 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('9182a67c-57bb-4610-b3d5-85079d3418bd', 4, 2, 'PENDING', 0, 0, 0, '2026-01-31 12:00:00.000000')
-- statement changes 1
UPDATE jobs SET state='RUNNING', reason_code=NULL, reason_detail=NULL, attempts=1, not_before=NULL, lease_owner='gpu-1', lease_expires_at='2026-01-31 12:00:30.000000', fencing_token=1, step=0, total_steps=0, updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = '2ec0ebeb-e4fa-47d8-8b84-38b9a6e40348' AND jobs.state = 'QUEUED' AND jobs.fencing_token = 0
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('2ec0ebeb-e4fa-47d8-8b84-38b9a6e40348', '2026-01-31 12:00:00.000000', 'claimed', 'QUEUED', 'RUNNING', 'attempt 1 by gpu-1')
-- statement changes 1
UPDATE jobs SET state='FAILED', reason_code='PIXELS_UNREADABLE', reason_detail='found none', lease_owner=NULL, lease_expires_at=NULL, updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = '2ec0ebeb-e4fa-47d8-8b84-38b9a6e40348' AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('2ec0ebeb-e4fa-47d8-8b84-38b9a6e40348', '2026-01-31 12:00:00.000000', 'failed', 'RUNNING', 'FAILED', 'PIXELS_UNREADABLE: found none')
-- statement changes 1
UPDATE jobs SET state='RUNNING', reason_code=NULL, reason_detail=NULL, attempts=1, not_before=NULL, lease_owner='gpu-1', lease_expires_at='2026-01-31 12:00:30.000000', fencing_token=1, step=0, total_steps=0, updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = 'e506e588-aaa8-4afb-b0b4-ec554f9fe745' AND jobs.state = 'QUEUED' AND jobs.fencing_token = 0
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('e506e588-aaa8-4afb-b0b4-ec554f9fe745', '2026-01-31 12:00:00.000000', 'claimed', 'QUEUED', 'RUNNING', 'attempt 1 by gpu-1')
-- statement changes 1
UPDATE jobs SET state='QUEUED', reason_code='OUT_OF_MEMORY', reason_detail='the device ran out of memory', not_before='2026-01-31 12:00:10.000000', announced_at=NULL, lease_owner=NULL, lease_expires_at=NULL, updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = 'e506e588-aaa8-4afb-b0b4-ec554f9fe745' AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('e506e588-aaa8-4afb-b0b4-ec554f9fe745', '2026-01-31 12:00:00.000000', 'released', 'RUNNING', 'QUEUED', 'OUT_OF_MEMORY: the device ran out of memory')
-- statement
INSERT INTO commitment_promises (transaction_uid, remote_node_id, requested, duplicate, attempts, not_before, lease_owner, lease_expires_at, fencing_token, created_at, reported_at, closed_at, reason_code, reason_detail) VALUES ('2.25.900', 1, '1.2.840.10008.5.1.4.1.1.1.1=2.25.31', 0, 0, NULL, NULL, NULL, 0, '2026-01-31 12:00:00.000000', NULL, NULL, NULL, NULL)
-- statement changes 2
UPDATE deliveries SET announced_at='2026-01-31 12:00:00.000000' WHERE deliveries.id IN (3, 4)
-- statement changes 1
UPDATE deliveries SET state='SENDING', attempts=1, not_before=NULL, lease_owner='network-1', lease_expires_at='2026-01-31 12:00:30.000000', fencing_token=1, updated_at='2026-01-31 12:00:00.000000' WHERE deliveries.id = 4 AND deliveries.state = 'PENDING' AND deliveries.fencing_token = 0
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('08bb1880-4a1a-4c47-b726-fcacabc15d3c', '2026-01-31 12:00:00.000000', 'delivery_claimed', NULL, NULL, 'SOFT_TISSUE to viewer: attempt 1 by network-1')
-- statement changes 1
UPDATE remote_nodes SET failures_in_a_row=1 WHERE remote_nodes.id = 2
-- statement changes 1
UPDATE deliveries SET state='PENDING', not_before='2026-01-31 12:00:00.000000', announced_at=NULL, lease_owner=NULL, lease_expires_at=NULL, dimse_status=NULL, reason_code='NO_ANSWER', reason_detail='none', updated_at='2026-01-31 12:00:00.000000' WHERE deliveries.id = 4 AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('08bb1880-4a1a-4c47-b726-fcacabc15d3c', '2026-01-31 12:00:00.000000', 'delivery_postponed', NULL, NULL, 'SOFT_TISSUE to viewer: NO_ANSWER: none')
-- statement
INSERT INTO commitment_requests (transaction_uid, remote_node_id, state, attempts, not_before, fencing_token, created_at, reason_code, reason_detail, updated_at) VALUES ('2.25.44776402510948501620083330486745211826', 1, 'PLANNED', 0, NULL, 0, '2026-01-31 12:00:05.000000', NULL, NULL, '2026-01-31 12:00:05.000000') RETURNING id
-- statement changes 1
UPDATE deliveries SET commitment_request_id=1 WHERE deliveries.id IN (1) AND deliveries.state = 'SENT'
-- statement changes 1
UPDATE commitment_requests SET state='PLANNED', attempts=1, lease_owner='network-1', lease_expires_at='2026-01-31 12:00:35.000000', fencing_token=1, requested_at='2026-01-31 12:00:05.000000', updated_at='2026-01-31 12:00:05.000000' WHERE commitment_requests.id = 1 AND commitment_requests.state = 'PLANNED' AND commitment_requests.fencing_token = 0
-- statement changes 1
UPDATE jobs SET state='RUNNING', reason_code=NULL, reason_detail=NULL, attempts=1, not_before=NULL, lease_owner='gpu-1', lease_expires_at='2026-01-31 12:00:30.000000', fencing_token=1, step=0, total_steps=0, updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = 'caf5ac5a-406b-4f35-b75b-0e37ea89376d' AND jobs.state = 'QUEUED' AND jobs.fencing_token = 0
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('caf5ac5a-406b-4f35-b75b-0e37ea89376d', '2026-01-31 12:00:00.000000', 'claimed', 'QUEUED', 'RUNNING', 'attempt 1 by gpu-1')
-- statement changes 1
UPDATE deliveries SET state='SENDING', attempts=1, not_before=NULL, lease_owner='network-1', lease_expires_at='2026-01-31 12:00:30.000000', fencing_token=1, updated_at='2026-01-31 12:00:00.000000' WHERE deliveries.id = 3 AND deliveries.state = 'PENDING' AND deliveries.fencing_token = 0
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('08bb1880-4a1a-4c47-b726-fcacabc15d3c', '2026-01-31 12:00:00.000000', 'delivery_claimed', NULL, NULL, 'SOFT_TISSUE to archive: attempt 1 by network-1')
-- section old_workers
-- statement changes 1
UPDATE jobs SET lease_expires_at='2026-01-31 12:00:30.000000', step=1, total_steps=1, updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = 'caf5ac5a-406b-4f35-b75b-0e37ea89376d' AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1
-- statement changes 1
UPDATE jobs SET state='DERIVED', reason_code=NULL, reason_detail=NULL, lease_owner=NULL, lease_expires_at=NULL, model_name='bs-ldm-lite', model_sha256='ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', device='cpu', preview_source_path='preview/cc/c.png', preview_soft_path='preview/dd/d.png', preview_bone_path='preview/ee/e.png', updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = 'caf5ac5a-406b-4f35-b75b-0e37ea89376d' AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('caf5ac5a-406b-4f35-b75b-0e37ea89376d', '2026-01-31 12:00:00.000000', 'derived', 'RUNNING', 'DERIVED', 'SOFT_TISSUE 2.25.36.1')
-- statement
INSERT INTO results (job_id, kind, replaces_id, sop_class_uid, sop_instance_uid, series_instance_uid, path, sha256, created_at) VALUES ('caf5ac5a-406b-4f35-b75b-0e37ea89376d', 'SOFT_TISSUE', NULL, '1.2.840.10008.5.1.4.1.1.1.1', '2.25.36.1', '2.25.42', 'derived/bb/b.dcm', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '2026-01-31 12:00:00.000000')
-- statement
SELECT instances.calling_ae_title, instances.body_part, series.modality 
FROM instances JOIN jobs ON jobs.instance_id = instances.id JOIN series ON series.id = instances.series_id 
WHERE jobs.id = 'caf5ac5a-406b-4f35-b75b-0e37ea89376d'
-- statement
SELECT remote_nodes.id, remote_nodes.name 
FROM remote_nodes 
WHERE remote_nodes.receives_results = 1 AND remote_nodes.removed_at IS NULL ORDER BY remote_nodes.id
-- statement
SELECT results.id, results.kind 
FROM results 
WHERE results.job_id = 'caf5ac5a-406b-4f35-b75b-0e37ea89376d' AND results.replaces_id IS NULL ORDER BY results.id
-- statement
SELECT deliveries.result_id, deliveries.remote_node_id 
FROM deliveries 
WHERE deliveries.job_id = 'caf5ac5a-406b-4f35-b75b-0e37ea89376d'
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('caf5ac5a-406b-4f35-b75b-0e37ea89376d', 5, 1, 'PENDING', 0, 0, 0, '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('caf5ac5a-406b-4f35-b75b-0e37ea89376d', '2026-01-31 12:00:00.000000', 'delivery_planned', NULL, NULL, 'SOFT_TISSUE to archive')
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('caf5ac5a-406b-4f35-b75b-0e37ea89376d', 5, 2, 'PENDING', 0, 0, 0, '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('caf5ac5a-406b-4f35-b75b-0e37ea89376d', '2026-01-31 12:00:00.000000', 'delivery_planned', NULL, NULL, 'SOFT_TISSUE to viewer')
-- statement changes 1
UPDATE deliveries SET lease_expires_at='2026-01-31 12:00:30.000000', updated_at='2026-01-31 12:00:00.000000' WHERE deliveries.id = 3 AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1
-- statement
SELECT remote_nodes.id, remote_nodes.name, remote_nodes.ae_title, remote_nodes.host, remote_nodes.port, remote_nodes.may_send, remote_nodes.receives_results, remote_nodes.tls, remote_nodes.url, remote_nodes.token_file, remote_nodes.requests_commitment, remote_nodes.verifies, remote_nodes.failures_in_a_row, remote_nodes.paused_until, remote_nodes.created_at, remote_nodes.removed_at 
FROM remote_nodes 
WHERE remote_nodes.id = 1
-- statement
SELECT jobs.id, jobs.instance_id, jobs.purpose, jobs.state, jobs.reason_code, jobs.reason_detail, jobs.attempts, jobs.not_before, jobs.announced_at, jobs.lease_owner, jobs.lease_expires_at, jobs.fencing_token, jobs.step, jobs.total_steps, jobs.model_name, jobs.model_sha256, jobs.device, jobs.preview_source_path, jobs.preview_soft_path, jobs.preview_bone_path, jobs.created_at, jobs.updated_at 
FROM jobs 
WHERE jobs.id = '08bb1880-4a1a-4c47-b726-fcacabc15d3c'
-- statement changes 1
UPDATE deliveries SET commitment_request_id=NULL, state='SENT', sent_at='2026-01-31 12:00:00.000000', lease_owner=NULL, lease_expires_at=NULL, dimse_status=0, reason_code=NULL, reason_detail=NULL, updated_at='2026-01-31 12:00:00.000000' WHERE deliveries.id = 3 AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('08bb1880-4a1a-4c47-b726-fcacabc15d3c', '2026-01-31 12:00:00.000000', 'delivery_sent', NULL, NULL, 'SOFT_TISSUE to archive: status 0x0000')
-- statement
SELECT deliveries.state 
FROM deliveries 
WHERE deliveries.job_id = '08bb1880-4a1a-4c47-b726-fcacabc15d3c'
-- statement changes 1
UPDATE commitment_requests SET state='REQUESTED', not_before=NULL, lease_owner=NULL, lease_expires_at=NULL, expires_at='2026-01-31 13:00:06.000000', reason_code=NULL, reason_detail=NULL, updated_at='2026-01-31 12:00:06.000000' WHERE commitment_requests.id = 1 AND commitment_requests.state = 'PLANNED' AND commitment_requests.fencing_token = 1
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.result_id, deliveries.remote_node_id, deliveries.commitment_request_id, deliveries.state, deliveries.attempts, deliveries.resends, deliveries.sent_at, deliveries.not_before, deliveries.announced_at, deliveries.lease_owner, deliveries.lease_expires_at, deliveries.fencing_token, deliveries.dimse_status, deliveries.reason_code, deliveries.reason_detail, deliveries.updated_at, results.id AS id_1, results.job_id AS job_id_1, results.kind, results.replaces_id, results.sop_class_uid, results.sop_instance_uid, results.series_instance_uid, results.path, results.sha256, results.created_at, studies.study_instance_uid 
FROM deliveries JOIN results ON results.id = deliveries.result_id JOIN jobs ON jobs.id = deliveries.job_id JOIN instances ON instances.id = jobs.instance_id JOIN series ON series.id = instances.series_id JOIN studies ON studies.id = series.study_id 
WHERE deliveries.commitment_request_id = 1 AND deliveries.state = 'SENT' ORDER BY deliveries.job_id, deliveries.id
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9182a67c-57bb-4610-b3d5-85079d3418bd', '2026-01-31 12:00:06.000000', 'commitment_requested', NULL, NULL, 'archive: 2.25.44776402510948501620083330486745211826')
-- statement
SELECT commitment_requests.id, commitment_requests.transaction_uid, commitment_requests.remote_node_id, commitment_requests.state, commitment_requests.attempts, commitment_requests.not_before, commitment_requests.lease_owner, commitment_requests.lease_expires_at, commitment_requests.fencing_token, commitment_requests.created_at, commitment_requests.requested_at, commitment_requests.expires_at, commitment_requests.reported_at, commitment_requests.reason_code, commitment_requests.reason_detail, commitment_requests.updated_at 
FROM commitment_requests 
WHERE commitment_requests.transaction_uid = '2.25.44776402510948501620083330486745211826'
-- statement changes 1
UPDATE commitment_requests SET state='REPORTED', not_before=NULL, lease_owner=NULL, lease_expires_at=NULL, fencing_token=2, reported_at='2026-01-31 12:00:06.000000', reason_code=NULL, reason_detail='1 committed, 0 failed', updated_at='2026-01-31 12:00:06.000000' WHERE commitment_requests.id = 1 AND commitment_requests.state = 'REQUESTED' AND commitment_requests.fencing_token = 1
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.result_id, deliveries.remote_node_id, deliveries.commitment_request_id, deliveries.state, deliveries.attempts, deliveries.resends, deliveries.sent_at, deliveries.not_before, deliveries.announced_at, deliveries.lease_owner, deliveries.lease_expires_at, deliveries.fencing_token, deliveries.dimse_status, deliveries.reason_code, deliveries.reason_detail, deliveries.updated_at, results.id AS id_1, results.job_id AS job_id_1, results.kind, results.replaces_id, results.sop_class_uid, results.sop_instance_uid, results.series_instance_uid, results.path, results.sha256, results.created_at, studies.study_instance_uid 
FROM deliveries JOIN results ON results.id = deliveries.result_id JOIN jobs ON jobs.id = deliveries.job_id JOIN instances ON instances.id = jobs.instance_id JOIN series ON series.id = instances.series_id JOIN studies ON studies.id = series.study_id 
WHERE deliveries.commitment_request_id = 1 AND deliveries.state = 'SENT' ORDER BY deliveries.job_id, deliveries.id
-- statement
SELECT deliveries.id 
FROM deliveries JOIN results ON results.id = deliveries.result_id 
WHERE results.sop_instance_uid IN ('2.25.31.1') AND deliveries.remote_node_id = 1 AND deliveries.state = 'SENT' AND deliveries.sent_at <= '2026-01-31 12:00:05.000000' ORDER BY deliveries.job_id, deliveries.id
-- statement
SELECT deliveries.job_id 
FROM deliveries 
WHERE deliveries.id IN (1)
-- statement
SELECT jobs.id, jobs.instance_id, jobs.purpose, jobs.state, jobs.reason_code, jobs.reason_detail, jobs.attempts, jobs.not_before, jobs.announced_at, jobs.lease_owner, jobs.lease_expires_at, jobs.fencing_token, jobs.step, jobs.total_steps, jobs.model_name, jobs.model_sha256, jobs.device, jobs.preview_source_path, jobs.preview_soft_path, jobs.preview_bone_path, jobs.created_at, jobs.updated_at 
FROM jobs 
WHERE jobs.id = '9182a67c-57bb-4610-b3d5-85079d3418bd'
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.result_id, deliveries.remote_node_id, deliveries.commitment_request_id, deliveries.state, deliveries.attempts, deliveries.resends, deliveries.sent_at, deliveries.not_before, deliveries.announced_at, deliveries.lease_owner, deliveries.lease_expires_at, deliveries.fencing_token, deliveries.dimse_status, deliveries.reason_code, deliveries.reason_detail, deliveries.updated_at 
FROM deliveries 
WHERE deliveries.id = 1
-- statement
SELECT jobs.id, jobs.instance_id, jobs.purpose, jobs.state, jobs.reason_code, jobs.reason_detail, jobs.attempts, jobs.not_before, jobs.announced_at, jobs.lease_owner, jobs.lease_expires_at, jobs.fencing_token, jobs.step, jobs.total_steps, jobs.model_name, jobs.model_sha256, jobs.device, jobs.preview_source_path, jobs.preview_soft_path, jobs.preview_bone_path, jobs.created_at, jobs.updated_at 
FROM jobs 
WHERE jobs.id = '9182a67c-57bb-4610-b3d5-85079d3418bd'
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.result_id, deliveries.remote_node_id, deliveries.commitment_request_id, deliveries.state, deliveries.attempts, deliveries.resends, deliveries.sent_at, deliveries.not_before, deliveries.announced_at, deliveries.lease_owner, deliveries.lease_expires_at, deliveries.fencing_token, deliveries.dimse_status, deliveries.reason_code, deliveries.reason_detail, deliveries.updated_at 
FROM deliveries 
WHERE deliveries.id = 1
-- statement
SELECT remote_nodes.id, remote_nodes.name, remote_nodes.ae_title, remote_nodes.host, remote_nodes.port, remote_nodes.may_send, remote_nodes.receives_results, remote_nodes.tls, remote_nodes.url, remote_nodes.token_file, remote_nodes.requests_commitment, remote_nodes.verifies, remote_nodes.failures_in_a_row, remote_nodes.paused_until, remote_nodes.created_at, remote_nodes.removed_at 
FROM remote_nodes 
WHERE remote_nodes.id = 1
-- statement
SELECT results.id, results.job_id, results.kind, results.replaces_id, results.sop_class_uid, results.sop_instance_uid, results.series_instance_uid, results.path, results.sha256, results.created_at 
FROM results 
WHERE results.id = 1
-- statement changes 1
UPDATE deliveries SET state='COMMITTED', fencing_token=2, updated_at='2026-01-31 12:00:06.000000' WHERE deliveries.id = 1 AND deliveries.state = 'SENT' AND deliveries.fencing_token = 1
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('9182a67c-57bb-4610-b3d5-85079d3418bd', '2026-01-31 12:00:06.000000', 'delivery_committed', NULL, NULL, 'SOFT_TISSUE to archive: 2.25.44776402510948501620083330486745211826')
-- statement
SELECT deliveries.state 
FROM deliveries 
WHERE deliveries.job_id = '9182a67c-57bb-4610-b3d5-85079d3418bd'
-- statement
SELECT count(*) AS count_1 
FROM jobs 
WHERE jobs.state IN ('QUEUED', 'RUNNING')
-- statement
SELECT jobs.id, jobs.fencing_token 
FROM jobs 
WHERE jobs.state = 'RUNNING' AND jobs.lease_expires_at <= '2026-01-31 12:01:00.000000' AND jobs.purpose = 'SUPPRESS' ORDER BY jobs.lease_expires_at
 LIMIT 50 OFFSET 0
-- statement
SELECT jobs.id 
FROM jobs 
WHERE jobs.state = 'QUEUED' AND jobs.purpose = 'SUPPRESS' AND (jobs.not_before IS NULL OR jobs.not_before <= '2026-01-31 12:01:00.000000') AND (jobs.announced_at IS NULL OR jobs.announced_at <= '2026-01-31 12:00:30.000000') ORDER BY jobs.created_at, jobs.id
 LIMIT 50 OFFSET 0
-- statement changes 2
UPDATE jobs SET announced_at='2026-01-31 12:01:00.000000' WHERE jobs.id IN ('3798bdf4-626d-4e7d-8ede-43f2efc8cd31', 'e506e588-aaa8-4afb-b0b4-ec554f9fe745')
-- statement
SELECT jobs.id, jobs.fencing_token 
FROM jobs 
WHERE jobs.state = 'RUNNING' AND jobs.lease_expires_at <= '2026-01-31 12:01:00.000000' AND jobs.purpose = 'REFUSAL_NOTICE' ORDER BY jobs.lease_expires_at
 LIMIT 50 OFFSET 0
-- statement
SELECT jobs.id 
FROM jobs 
WHERE jobs.state = 'QUEUED' AND jobs.purpose = 'REFUSAL_NOTICE' AND (jobs.not_before IS NULL OR jobs.not_before <= '2026-01-31 12:01:00.000000') AND (jobs.announced_at IS NULL OR jobs.announced_at <= '2026-01-31 12:00:30.000000') ORDER BY jobs.created_at, jobs.id
 LIMIT 50 OFFSET 0
-- statement changes 1
UPDATE jobs SET announced_at='2026-01-31 12:01:00.000000' WHERE jobs.id IN ('bd62971b-ec8c-466c-b958-c287fc456562')
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.fencing_token 
FROM deliveries 
WHERE deliveries.state = 'SENDING' AND deliveries.lease_expires_at <= '2026-01-31 12:01:00.000000' ORDER BY deliveries.lease_expires_at
 LIMIT 50 OFFSET 0
-- statement
SELECT remote_nodes.id 
FROM remote_nodes 
WHERE (remote_nodes.paused_until IS NULL OR remote_nodes.paused_until <= '2026-01-31 12:01:00.000000') AND (EXISTS (SELECT * 
FROM deliveries 
WHERE deliveries.remote_node_id = remote_nodes.id AND deliveries.state = 'PENDING')) ORDER BY remote_nodes.id
-- statement
SELECT deliveries.id 
FROM deliveries 
WHERE deliveries.remote_node_id = 1 AND deliveries.state = 'PENDING' AND (deliveries.not_before IS NULL OR deliveries.not_before <= '2026-01-31 12:01:00.000000') AND (deliveries.announced_at IS NULL OR deliveries.announced_at <= '2026-01-31 12:00:30.000000') ORDER BY deliveries.id
 LIMIT 25 OFFSET 0
-- statement
SELECT deliveries.id 
FROM deliveries 
WHERE deliveries.remote_node_id = 2 AND deliveries.state = 'PENDING' AND (deliveries.not_before IS NULL OR deliveries.not_before <= '2026-01-31 12:01:00.000000') AND (deliveries.announced_at IS NULL OR deliveries.announced_at <= '2026-01-31 12:00:30.000000') ORDER BY deliveries.id
 LIMIT 25 OFFSET 0
-- statement changes 6
UPDATE deliveries SET announced_at='2026-01-31 12:01:00.000000' WHERE deliveries.id IN (5, 8, 4, 6, 7, 9)
-- statement
SELECT instances.sha256, instances.path 
FROM instances 
WHERE instances.sop_instance_uid = '2.25.310'
-- statement
SELECT studies.id 
FROM studies 
WHERE studies.study_instance_uid = '2.25.110'
-- statement
INSERT INTO studies (study_instance_uid, first_received_at, last_received_at) VALUES ('2.25.110', '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
SELECT series.id 
FROM series 
WHERE series.study_id = 10 AND series.series_instance_uid = '2.25.210'
-- statement
INSERT INTO series (study_id, series_instance_uid, modality) VALUES (10, '2.25.210', 'DX')
-- statement
INSERT INTO instances (series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, sha256, size_bytes, calling_ae_title, body_part, irradiation_event_uid, made_from_uid, open_questions, received_at, eligible, reason_code, reason_detail) VALUES (10, '2.25.310', '1.2.840.10008.5.1.4.1.1.1.1', '1.2.840.10008.1.2.1', 'source/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dcm', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 8000000, 'MODALITY', NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', 1, NULL, NULL)
-- statement
INSERT INTO jobs (id, instance_id, purpose, state, reason_code, reason_detail, attempts, not_before, announced_at, lease_owner, lease_expires_at, fencing_token, step, total_steps, model_name, model_sha256, device, preview_source_path, preview_soft_path, preview_bone_path, created_at, updated_at) VALUES ('cf259aed-2db8-4dfe-98bb-d5adfa28a913', 10, 'SUPPRESS', 'QUEUED', NULL, NULL, 0, NULL, '2026-01-31 12:00:00.000000', NULL, NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, '2026-01-31 12:00:00.000000', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('cf259aed-2db8-4dfe-98bb-d5adfa28a913', '2026-01-31 12:00:00.000000', 'queued', NULL, 'QUEUED', NULL)
-- statement
SELECT jobs.state, jobs.fencing_token, jobs.attempts, jobs.not_before, jobs.lease_expires_at, instances.path, instances.sha256, instances.sop_instance_uid, instances.open_questions, instances.reason_code, instances.reason_detail 
FROM jobs JOIN instances ON instances.id = jobs.instance_id 
WHERE jobs.id = '3798bdf4-626d-4e7d-8ede-43f2efc8cd31' AND jobs.purpose = 'SUPPRESS'
-- statement changes 1
UPDATE jobs SET state='RUNNING', reason_code=NULL, reason_detail=NULL, attempts=1, not_before=NULL, lease_owner='gpu-1', lease_expires_at='2026-01-31 12:00:30.000000', fencing_token=1, step=0, total_steps=0, updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = '3798bdf4-626d-4e7d-8ede-43f2efc8cd31' AND jobs.state = 'QUEUED' AND jobs.fencing_token = 0
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('3798bdf4-626d-4e7d-8ede-43f2efc8cd31', '2026-01-31 12:00:00.000000', 'claimed', 'QUEUED', 'RUNNING', 'attempt 1 by gpu-1')
-- statement changes 1
UPDATE jobs SET lease_expires_at='2026-01-31 12:00:30.000000', step=1, total_steps=1, updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = '3798bdf4-626d-4e7d-8ede-43f2efc8cd31' AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1
-- statement changes 1
UPDATE jobs SET state='DERIVED', reason_code=NULL, reason_detail=NULL, lease_owner=NULL, lease_expires_at=NULL, model_name='bs-ldm-lite', model_sha256='ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', device='cpu', preview_source_path='preview/cc/c.png', preview_soft_path='preview/dd/d.png', preview_bone_path='preview/ee/e.png', updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = '3798bdf4-626d-4e7d-8ede-43f2efc8cd31' AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('3798bdf4-626d-4e7d-8ede-43f2efc8cd31', '2026-01-31 12:00:00.000000', 'derived', 'RUNNING', 'DERIVED', 'SOFT_TISSUE 2.25.37.1')
-- statement
INSERT INTO results (job_id, kind, replaces_id, sop_class_uid, sop_instance_uid, series_instance_uid, path, sha256, created_at) VALUES ('3798bdf4-626d-4e7d-8ede-43f2efc8cd31', 'SOFT_TISSUE', NULL, '1.2.840.10008.5.1.4.1.1.1.1', '2.25.37.1', '2.25.42', 'derived/bb/b.dcm', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '2026-01-31 12:00:00.000000')
-- statement
SELECT instances.calling_ae_title, instances.body_part, series.modality 
FROM instances JOIN jobs ON jobs.instance_id = instances.id JOIN series ON series.id = instances.series_id 
WHERE jobs.id = '3798bdf4-626d-4e7d-8ede-43f2efc8cd31'
-- statement
SELECT remote_nodes.id, remote_nodes.name 
FROM remote_nodes 
WHERE remote_nodes.receives_results = 1 AND remote_nodes.removed_at IS NULL ORDER BY remote_nodes.id
-- statement
SELECT results.id, results.kind 
FROM results 
WHERE results.job_id = '3798bdf4-626d-4e7d-8ede-43f2efc8cd31' AND results.replaces_id IS NULL ORDER BY results.id
-- statement
SELECT deliveries.result_id, deliveries.remote_node_id 
FROM deliveries 
WHERE deliveries.job_id = '3798bdf4-626d-4e7d-8ede-43f2efc8cd31'
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('3798bdf4-626d-4e7d-8ede-43f2efc8cd31', 6, 1, 'PENDING', 0, 0, 0, '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('3798bdf4-626d-4e7d-8ede-43f2efc8cd31', '2026-01-31 12:00:00.000000', 'delivery_planned', NULL, NULL, 'SOFT_TISSUE to archive')
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('3798bdf4-626d-4e7d-8ede-43f2efc8cd31', 6, 2, 'PENDING', 0, 0, 0, '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('3798bdf4-626d-4e7d-8ede-43f2efc8cd31', '2026-01-31 12:00:00.000000', 'delivery_planned', NULL, NULL, 'SOFT_TISSUE to viewer')
-- statement
SELECT deliveries.id 
FROM deliveries 
WHERE deliveries.job_id = '3798bdf4-626d-4e7d-8ede-43f2efc8cd31' AND deliveries.state = 'PENDING' ORDER BY deliveries.id
-- statement changes 2
UPDATE deliveries SET announced_at='2026-01-31 12:00:00.000000' WHERE deliveries.id IN (10, 11)
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.result_id, deliveries.remote_node_id, deliveries.commitment_request_id, deliveries.state, deliveries.attempts, deliveries.resends, deliveries.sent_at, deliveries.not_before, deliveries.announced_at, deliveries.lease_owner, deliveries.lease_expires_at, deliveries.fencing_token, deliveries.dimse_status, deliveries.reason_code, deliveries.reason_detail, deliveries.updated_at, results.id AS id_1, results.job_id AS job_id_1, results.kind, results.replaces_id, results.sop_class_uid, results.sop_instance_uid, results.series_instance_uid, results.path, results.sha256, results.created_at, remote_nodes.id AS id_2, remote_nodes.name, remote_nodes.ae_title, remote_nodes.host, remote_nodes.port, remote_nodes.may_send, remote_nodes.receives_results, remote_nodes.tls, remote_nodes.url, remote_nodes.token_file, remote_nodes.requests_commitment, remote_nodes.verifies, remote_nodes.failures_in_a_row, remote_nodes.paused_until, remote_nodes.created_at AS created_at_1, remote_nodes.removed_at, studies.study_instance_uid 
FROM deliveries JOIN jobs ON jobs.id = deliveries.job_id JOIN results ON results.id = deliveries.result_id JOIN remote_nodes ON remote_nodes.id = deliveries.remote_node_id JOIN instances ON instances.id = jobs.instance_id JOIN series ON series.id = instances.series_id JOIN studies ON studies.id = series.study_id 
WHERE deliveries.id = 10 AND jobs.state = 'DERIVED'
-- statement
SELECT count(*) AS count_1 
FROM deliveries 
WHERE deliveries.remote_node_id = 1 AND deliveries.state = 'SENDING' AND deliveries.lease_expires_at > '2026-01-31 12:00:00.000000'
-- statement changes 1
UPDATE deliveries SET state='SENDING', attempts=1, not_before=NULL, lease_owner='network-1', lease_expires_at='2026-01-31 12:00:30.000000', fencing_token=1, updated_at='2026-01-31 12:00:00.000000' WHERE deliveries.id = 10 AND deliveries.state = 'PENDING' AND deliveries.fencing_token = 0
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('3798bdf4-626d-4e7d-8ede-43f2efc8cd31', '2026-01-31 12:00:00.000000', 'delivery_claimed', NULL, NULL, 'SOFT_TISSUE to archive: attempt 1 by network-1')
-- statement changes 1
UPDATE deliveries SET lease_expires_at='2026-01-31 12:00:30.000000', updated_at='2026-01-31 12:00:00.000000' WHERE deliveries.id = 10 AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1
-- statement
SELECT remote_nodes.id, remote_nodes.name, remote_nodes.ae_title, remote_nodes.host, remote_nodes.port, remote_nodes.may_send, remote_nodes.receives_results, remote_nodes.tls, remote_nodes.url, remote_nodes.token_file, remote_nodes.requests_commitment, remote_nodes.verifies, remote_nodes.failures_in_a_row, remote_nodes.paused_until, remote_nodes.created_at, remote_nodes.removed_at 
FROM remote_nodes 
WHERE remote_nodes.id = 1
-- statement
SELECT jobs.id, jobs.instance_id, jobs.purpose, jobs.state, jobs.reason_code, jobs.reason_detail, jobs.attempts, jobs.not_before, jobs.announced_at, jobs.lease_owner, jobs.lease_expires_at, jobs.fencing_token, jobs.step, jobs.total_steps, jobs.model_name, jobs.model_sha256, jobs.device, jobs.preview_source_path, jobs.preview_soft_path, jobs.preview_bone_path, jobs.created_at, jobs.updated_at 
FROM jobs 
WHERE jobs.id = '3798bdf4-626d-4e7d-8ede-43f2efc8cd31'
-- statement changes 1
UPDATE deliveries SET commitment_request_id=NULL, state='SENT', sent_at='2026-01-31 12:00:00.000000', lease_owner=NULL, lease_expires_at=NULL, dimse_status=0, reason_code=NULL, reason_detail=NULL, updated_at='2026-01-31 12:00:00.000000' WHERE deliveries.id = 10 AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('3798bdf4-626d-4e7d-8ede-43f2efc8cd31', '2026-01-31 12:00:00.000000', 'delivery_sent', NULL, NULL, 'SOFT_TISSUE to archive: status 0x0000')
-- statement
SELECT deliveries.state 
FROM deliveries 
WHERE deliveries.job_id = '3798bdf4-626d-4e7d-8ede-43f2efc8cd31'
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.result_id, deliveries.remote_node_id, deliveries.commitment_request_id, deliveries.state, deliveries.attempts, deliveries.resends, deliveries.sent_at, deliveries.not_before, deliveries.announced_at, deliveries.lease_owner, deliveries.lease_expires_at, deliveries.fencing_token, deliveries.dimse_status, deliveries.reason_code, deliveries.reason_detail, deliveries.updated_at, results.id AS id_1, results.job_id AS job_id_1, results.kind, results.replaces_id, results.sop_class_uid, results.sop_instance_uid, results.series_instance_uid, results.path, results.sha256, results.created_at, remote_nodes.id AS id_2, remote_nodes.name, remote_nodes.ae_title, remote_nodes.host, remote_nodes.port, remote_nodes.may_send, remote_nodes.receives_results, remote_nodes.tls, remote_nodes.url, remote_nodes.token_file, remote_nodes.requests_commitment, remote_nodes.verifies, remote_nodes.failures_in_a_row, remote_nodes.paused_until, remote_nodes.created_at AS created_at_1, remote_nodes.removed_at, studies.study_instance_uid 
FROM deliveries JOIN jobs ON jobs.id = deliveries.job_id JOIN results ON results.id = deliveries.result_id JOIN remote_nodes ON remote_nodes.id = deliveries.remote_node_id JOIN instances ON instances.id = jobs.instance_id JOIN series ON series.id = instances.series_id JOIN studies ON studies.id = series.study_id 
WHERE deliveries.id = 11 AND jobs.state = 'DERIVED'
-- statement
SELECT count(*) AS count_1 
FROM deliveries 
WHERE deliveries.remote_node_id = 2 AND deliveries.state = 'SENDING' AND deliveries.lease_expires_at > '2026-01-31 12:00:00.000000'
-- statement changes 1
UPDATE deliveries SET state='SENDING', attempts=1, not_before=NULL, lease_owner='network-1', lease_expires_at='2026-01-31 12:00:30.000000', fencing_token=1, updated_at='2026-01-31 12:00:00.000000' WHERE deliveries.id = 11 AND deliveries.state = 'PENDING' AND deliveries.fencing_token = 0
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('3798bdf4-626d-4e7d-8ede-43f2efc8cd31', '2026-01-31 12:00:00.000000', 'delivery_claimed', NULL, NULL, 'SOFT_TISSUE to viewer: attempt 1 by network-1')
-- statement changes 1
UPDATE deliveries SET lease_expires_at='2026-01-31 12:00:30.000000', updated_at='2026-01-31 12:00:00.000000' WHERE deliveries.id = 11 AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1
-- statement
SELECT remote_nodes.id, remote_nodes.name, remote_nodes.ae_title, remote_nodes.host, remote_nodes.port, remote_nodes.may_send, remote_nodes.receives_results, remote_nodes.tls, remote_nodes.url, remote_nodes.token_file, remote_nodes.requests_commitment, remote_nodes.verifies, remote_nodes.failures_in_a_row, remote_nodes.paused_until, remote_nodes.created_at, remote_nodes.removed_at 
FROM remote_nodes 
WHERE remote_nodes.id = 2
-- statement changes 1
UPDATE remote_nodes SET failures_in_a_row=0, paused_until=NULL WHERE remote_nodes.id = 2
-- statement
SELECT jobs.id, jobs.instance_id, jobs.purpose, jobs.state, jobs.reason_code, jobs.reason_detail, jobs.attempts, jobs.not_before, jobs.announced_at, jobs.lease_owner, jobs.lease_expires_at, jobs.fencing_token, jobs.step, jobs.total_steps, jobs.model_name, jobs.model_sha256, jobs.device, jobs.preview_source_path, jobs.preview_soft_path, jobs.preview_bone_path, jobs.created_at, jobs.updated_at 
FROM jobs 
WHERE jobs.id = '3798bdf4-626d-4e7d-8ede-43f2efc8cd31'
-- statement
SELECT deliveries.result_id 
FROM deliveries 
WHERE deliveries.id = 11
-- statement changes 1
UPDATE deliveries SET state='REPLACED', lease_owner=NULL, lease_expires_at=NULL, dimse_status=NULL, reason_code='SOP_CLASS_NOT_ACCEPTED', reason_detail=NULL, updated_at='2026-01-31 12:00:00.000000' WHERE deliveries.id = 11 AND deliveries.state = 'SENDING' AND deliveries.fencing_token = 1
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('3798bdf4-626d-4e7d-8ede-43f2efc8cd31', '2026-01-31 12:00:00.000000', 'delivery_replaced', NULL, NULL, 'SOFT_TISSUE to viewer: SOP_CLASS_NOT_ACCEPTED: sent as Secondary Capture instead')
-- statement
SELECT results.id 
FROM results 
WHERE results.replaces_id = 6 AND results.job_id = '3798bdf4-626d-4e7d-8ede-43f2efc8cd31'
-- statement
INSERT INTO results (job_id, kind, replaces_id, sop_class_uid, sop_instance_uid, series_instance_uid, path, sha256, created_at) VALUES ('3798bdf4-626d-4e7d-8ede-43f2efc8cd31', 'SOFT_TISSUE', 6, '1.2.840.10008.5.1.4.1.1.7', '2.25.37.1.7', '2.25.42', 'derived/cc/c.dcm', 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', '2026-01-31 12:00:00.000000')
-- statement
INSERT INTO deliveries (job_id, result_id, remote_node_id, state, attempts, resends, fencing_token, updated_at) VALUES ('3798bdf4-626d-4e7d-8ede-43f2efc8cd31', 7, 2, 'PENDING', 0, 0, 0, '2026-01-31 12:00:00.000000')
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.result_id, deliveries.remote_node_id, deliveries.commitment_request_id, deliveries.state, deliveries.attempts, deliveries.resends, deliveries.sent_at, deliveries.not_before, deliveries.announced_at, deliveries.lease_owner, deliveries.lease_expires_at, deliveries.fencing_token, deliveries.dimse_status, deliveries.reason_code, deliveries.reason_detail, deliveries.updated_at 
FROM deliveries 
WHERE deliveries.id = 3
-- statement
SELECT jobs.id, jobs.instance_id, jobs.purpose, jobs.state, jobs.reason_code, jobs.reason_detail, jobs.attempts, jobs.not_before, jobs.announced_at, jobs.lease_owner, jobs.lease_expires_at, jobs.fencing_token, jobs.step, jobs.total_steps, jobs.model_name, jobs.model_sha256, jobs.device, jobs.preview_source_path, jobs.preview_soft_path, jobs.preview_bone_path, jobs.created_at, jobs.updated_at 
FROM jobs 
WHERE jobs.id = '08bb1880-4a1a-4c47-b726-fcacabc15d3c'
-- statement
SELECT deliveries.id, deliveries.job_id, deliveries.result_id, deliveries.remote_node_id, deliveries.commitment_request_id, deliveries.state, deliveries.attempts, deliveries.resends, deliveries.sent_at, deliveries.not_before, deliveries.announced_at, deliveries.lease_owner, deliveries.lease_expires_at, deliveries.fencing_token, deliveries.dimse_status, deliveries.reason_code, deliveries.reason_detail, deliveries.updated_at 
FROM deliveries 
WHERE deliveries.id = 3
-- statement
SELECT remote_nodes.id, remote_nodes.name, remote_nodes.ae_title, remote_nodes.host, remote_nodes.port, remote_nodes.may_send, remote_nodes.receives_results, remote_nodes.tls, remote_nodes.url, remote_nodes.token_file, remote_nodes.requests_commitment, remote_nodes.verifies, remote_nodes.failures_in_a_row, remote_nodes.paused_until, remote_nodes.created_at, remote_nodes.removed_at 
FROM remote_nodes 
WHERE remote_nodes.id = 1
-- statement
SELECT results.id, results.job_id, results.kind, results.replaces_id, results.sop_class_uid, results.sop_instance_uid, results.series_instance_uid, results.path, results.sha256, results.created_at 
FROM results 
WHERE results.id = 2
-- statement changes 1
UPDATE deliveries SET state='VERIFIED', fencing_token=2, updated_at='2026-01-31 12:01:00.000000' WHERE deliveries.id = 3 AND deliveries.state = 'SENT' AND deliveries.fencing_token = 1
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('08bb1880-4a1a-4c47-b726-fcacabc15d3c', '2026-01-31 12:01:00.000000', 'delivery_verified', NULL, NULL, 'SOFT_TISSUE to archive: listed')
-- statement
SELECT deliveries.state 
FROM deliveries 
WHERE deliveries.job_id = '08bb1880-4a1a-4c47-b726-fcacabc15d3c'
-- statement
SELECT jobs.state, jobs.fencing_token, jobs.attempts, jobs.not_before, jobs.lease_expires_at, instances.path, instances.sha256, instances.sop_instance_uid, instances.open_questions, instances.reason_code, instances.reason_detail 
FROM jobs JOIN instances ON instances.id = jobs.instance_id 
WHERE jobs.id = 'cf259aed-2db8-4dfe-98bb-d5adfa28a913' AND jobs.purpose = 'SUPPRESS'
-- statement changes 1
UPDATE jobs SET state='RUNNING', reason_code=NULL, reason_detail=NULL, attempts=1, not_before=NULL, lease_owner='gpu-1', lease_expires_at='2026-01-31 12:00:30.000000', fencing_token=1, step=0, total_steps=0, updated_at='2026-01-31 12:00:00.000000' WHERE jobs.id = 'cf259aed-2db8-4dfe-98bb-d5adfa28a913' AND jobs.state = 'QUEUED' AND jobs.fencing_token = 0
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('cf259aed-2db8-4dfe-98bb-d5adfa28a913', '2026-01-31 12:00:00.000000', 'claimed', 'QUEUED', 'RUNNING', 'attempt 1 by gpu-1')
-- statement changes 1
UPDATE jobs SET state='REFUSED', reason_code='NOT_FRONTAL', reason_detail='lateral', lease_owner=NULL, lease_expires_at=NULL, updated_at='2026-01-31 12:01:00.000000' WHERE jobs.id = 'cf259aed-2db8-4dfe-98bb-d5adfa28a913' AND jobs.state = 'RUNNING' AND jobs.fencing_token = 1
-- statement
INSERT INTO job_events (job_id, at, event, from_state, to_state, detail) VALUES ('cf259aed-2db8-4dfe-98bb-d5adfa28a913', '2026-01-31 12:01:00.000000', 'refused', 'RUNNING', 'REFUSED', 'NOT_FRONTAL: lateral')
-- statement changes 1
UPDATE instances SET eligible=0, reason_code='NOT_FRONTAL', reason_detail='lateral' WHERE instances.id = (SELECT jobs.instance_id 
FROM jobs 
WHERE jobs.id = 'cf259aed-2db8-4dfe-98bb-d5adfa28a913')
