"""Which attributes of the source a derived object carries on, module by module (PS3.3 A.2, A.26).

An allow-list: whatever is not named here is left behind. That drops, on purpose, private attributes, overlays, icons,
histograms, digital signatures, Original Attributes, SOP Instance Status, performed procedure steps, dose totals (they
would be counted twice), Acquisition Device Processing Code (some archives act on it) and, moved to Contributing
Equipment, the identity of the X-ray unit and its operators.
"""

from __future__ import annotations

# Patient and Study must be the same in every object of a study.
PATIENT = """
PatientName PatientID IssuerOfPatientID IssuerOfPatientIDQualifiersSequence TypeOfPatientID OtherPatientIDsSequence
OtherPatientNames PatientBirthDate PatientBirthTime PatientSex EthnicGroup PatientComments QualityControlSubject
ReferencedPatientSequence PatientSpeciesDescription PatientSpeciesCodeSequence ResponsiblePerson ResponsiblePersonRole
ResponsibleOrganization PatientIdentityRemoved DeidentificationMethod DeidentificationMethodCodeSequence
SourcePatientGroupIdentificationSequence GroupOfPatientsIdentificationSequence ClinicalTrialSponsorName
ClinicalTrialProtocolID ClinicalTrialProtocolName ClinicalTrialSiteID ClinicalTrialSiteName ClinicalTrialSubjectID
ClinicalTrialSubjectReadingID ClinicalTrialProtocolEthicsCommitteeName
ClinicalTrialProtocolEthicsCommitteeApprovalNumber IssuerOfClinicalTrialProtocolID IssuerOfClinicalTrialSiteID
IssuerOfClinicalTrialSubjectID IssuerOfClinicalTrialSubjectReadingID
"""
STUDY = """
StudyInstanceUID StudyDate StudyTime StudyID AccessionNumber IssuerOfAccessionNumberSequence StudyDescription
ReferringPhysicianName ReferringPhysicianIdentificationSequence ConsultingPhysicianName
ConsultingPhysicianIdentificationSequence PhysiciansOfRecord PhysiciansOfRecordIdentificationSequence
NameOfPhysiciansReadingStudy PhysiciansReadingStudyIdentificationSequence RequestingService
RequestingServiceCodeSequence ReferencedStudySequence ProcedureCodeSequence ReasonForPerformedProcedureCodeSequence
AdmittingDiagnosesDescription AdmittingDiagnosesCodeSequence PatientAge PatientSize PatientWeight PatientBodyMassIndex
PatientSizeCodeSequence MedicalAlerts Allergies SmokingStatus PregnancyStatus LastMenstrualDate PatientState
Occupation AdditionalPatientHistory AdmissionID IssuerOfAdmissionIDSequence ServiceEpisodeID ServiceEpisodeDescription
IssuerOfServiceEpisodeIDSequence PatientSexNeutered ReasonForVisit ReasonForVisitCodeSequence ClinicalTrialTimePointID
ClinicalTrialTimePointDescription ClinicalTrialTimePointTypeCodeSequence LongitudinalTemporalOffsetFromEvent
LongitudinalTemporalEventType ConsentForClinicalTrialUseSequence
"""
# What was ordered, and how the exposure was made: still true of the derived picture.
SERIES = """
ProtocolName RequestAttributesSequence BodyPartExamined PatientPosition AnatomicalOrientationType
ClinicalTrialCoordinatingCenterName ClinicalTrialSeriesID ClinicalTrialSeriesDescription TimezoneOffsetFromUTC
"""
ACQUISITION = """
AcquisitionNumber AcquisitionDate AcquisitionTime AcquisitionDateTime AcquisitionUID IrradiationEventUID KVP
ExposureTime ExposureTimeInuS XRayTubeCurrent XRayTubeCurrentInuA Exposure ExposureInuAs ExposureIndex
TargetExposureIndex DeviationIndex Sensitivity RelativeXRayExposure DistanceSourceToDetector DistanceSourceToPatient
DistanceSourceToEntrance DistanceObjectToTableTop EstimatedRadiographicMagnificationFactor FocalSpots
AnodeTargetMaterial FilterType FilterMaterial FilterThicknessMinimum FilterThicknessMaximum RectificationType
RadiationMode ExposureStatus PhototimerSetting ExposureControlMode ExposureControlModeDescription
ExposuresOnDetectorSinceManufactured BodyPartThickness CompressionForce HalfValueLayer GeneratorPower XRayOutput
OrganExposed CommentsOnRadiationDose Grid GridAbsorbingMaterial GridSpacingMaterial GridThickness GridPitch
GridAspectRatio GridPeriod GridFocalDistance GridID PlateType PhosphorType PlateID CassetteID CassetteOrientation
CassetteSize CollimatorGridName AcquisitionDeviceProcessingDescription AcquisitionContextDescription
ContrastBolusAgent ContrastBolusAgentSequence PatientOrientationCodeSequence PatientGantryRelationshipCodeSequence
ProjectionEponymousNameCodeSequence ViewPosition ViewCodeSequence TableType TableAngle PositionerType
PositionerPrimaryAngle PositionerSecondaryAngle PositionerPrimaryAngleDirection ColumnAngulation
AcquisitionContextSequence AnatomicRegionSequence PrimaryAnatomicStructureSequence DetectorType DetectorConfiguration
DetectorDescription DetectorMode DetectorID DateOfLastDetectorCalibration TimeOfLastDetectorCalibration
DetectorConditionsNominalFlag DetectorTemperature DetectorActiveShape DetectorActiveDimensions DetectorActiveOrigin
DetectorActiveTime DetectorActivationOffsetFromExposure DetectorBinning DetectorElementPhysicalSize
DetectorElementSpacing DetectorManufacturerName DetectorManufacturerModelName DetectorTimeSinceLastExposure
SensitivityCalibrated FieldOfViewShape FieldOfViewDimensions FieldOfViewOrigin FieldOfViewRotation
FieldOfViewHorizontalFlip CollimatorShape CollimatorLeftVerticalEdge CollimatorRightVerticalEdge
CollimatorUpperHorizontalEdge CollimatorLowerHorizontalEdge CenterOfCircularCollimator RadiusOfCircularCollimator
VerticesOfThePolygonalCollimator
"""
SHUTTER = """
ShutterShape ShutterLeftVerticalEdge ShutterRightVerticalEdge ShutterUpperHorizontalEdge ShutterLowerHorizontalEdge
CenterOfCircularShutter RadiusOfCircularShutter VerticesOfThePolygonalShutter ShutterPresentationValue
ShutterPresentationColorCIELabValue
"""
# The derived pixels lie on the source's grid.
IMAGE = """
PatientOrientation ImagerPixelSpacing NominalScannedPixelSpacing PixelSpacing PixelSpacingCalibrationType
PixelSpacingCalibrationDescription PixelAspectRatio Rows Columns SamplesPerPixel PixelIntensityRelationship
PixelIntensityRelationshipSign BurnedInAnnotation RecognizableVisualFeatures LossyImageCompression
LossyImageCompressionRatio LossyImageCompressionMethod AcquisitionDeviceProcessingDescription CalibrationImage
"""
# True of the soft tissue only, which is in the source's stored-value space. VOI and rescale are written by derived_voi.
STORED_VALUES = """
PhotometricInterpretation BitsStored HighBit PixelRepresentation PixelPaddingValue PixelPaddingRangeLimit
PresentationLUTShape
"""
_WORDS = PATIENT + STUDY + SERIES + ACQUISITION + SHUTTER + IMAGE + STORED_VALUES
COPIED: tuple[str, ...] = tuple(dict.fromkeys(_WORDS.split()))
COPIED_BY_ALL: tuple[str, ...] = tuple(one for one in COPIED if one not in STORED_VALUES.split())

# Type 2: present even when the source left them out.
TYPE_2: tuple[str, ...] = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
TYPE_2_DX: tuple[str, ...] = ("DetectorType", "PositionerType", "AcquisitionContextSequence")
TYPE_2_CR: tuple[str, ...] = ("BodyPartExamined", "ViewPosition", "PatientOrientation")
