"""Words that stand beside names: labels before, titles and kin after, particles glued on. Compiled by the project."""

from __future__ import annotations

from deid.detect.words import read_words


def _alternatives(words: str) -> str:
    return "|".join(sorted({word.replace("_", "[ _]?") for word in words.split()}, key=len, reverse=True))


# Forms ask for a name behind these: what follows is taken even if it looks like no Korean name.
ASKING = _alternatives(
    """성명 성_명 이름 성함 환자명 환자성명 환자_성명 환자이름 수진자명 수검자명 대상자명 보호자명 보호자성명 신청자명
    신청인명 의사명 의사성명 의사_성명 담당자명 담당의명 작성자명
    한글명 영문명 본명 개명 개명전 법정대리인 대리인성명 산모명 아기이름 예금주 예금주명 카드명의 명의자 가입자명
    피보험자명 수령인 받는사람 보낸사람 받은사람 발신인 수신인 성명은 이름은 성함은 검사자명
    판독의명 처방의명
    아동명 학생명 원아명 자녀명 회원명 고객명 이용자명 내담자명 입소자명 피검자명 직원명 간호사명"""
)
# Roles: what follows is a name if it can be one.
ROLES = _alternatives(
    """백업 위원 위원장 경찰 소지자 친모 친부 생모 생부 계부 계모 양부 양모 의부 상담 대체자 교대자
    감정의 감정인 피감정인 운전 자녀 자녀분 보호자분 따님 아드님 본인 간호 중재자 처남 처제 처형 매형 매제 형부 제부
    올케 형수 제수 시누이 시동생 조카 손주 사촌 숙부 숙모 백부 외숙모 외숙부 이모부 고모부 밤번 낮번 초번 오전번 오후번
    분류 의뢰 예진 접종 어시 시술자 처치 조사 입회 진술인 촉탁의 검안의 담당형사 담당자 통역자 수발 엄마 아빠
    주치 처리 처리자 동의인 입회자 위생사 남환 여환 남아 여아 설명 예약자 시술간호사 손해사정 손해사정인 사용자
    군의관 담당약사 상주보호자
    장남 차남 삼남 장녀 차녀 삼녀 막내 주돌봄자 돌봄제공자 유족 유족대표 목격인 접종자 예진의 투여자 채혈 판독
    집도의사 순회 소개자 추천인 면회자 방문자 통화자 상담원 안내자 진술자 신고인 고소인 피해자 가해자
    환자 수진자 수검자 보호자 담당 담당자 담당의 담당의사 담당간호사 담당교수 주치의 집도의 수술의 의뢰의 의뢰자
    의뢰인 판독의 판독자 판정의 처방의 처방자 자문의 분만의 당직의 당직 당직간호사 지도교수
    지도전문의 지정의
    전공의 전문의 전임의 인턴 레지던트 연구자 책임연구자 시험책임자 연구간호사 검사자 검체채취자 채혈자 채취자 확인자
    확인 보고자 신고자 발견자 목격자 동행자 동승자 동반자 신청인 신청자 발급자 발급인 작성자
    작성 기록자 기록 서명 서명자 인계자
    인수자 인계 인수 인수의사 피보험자 계약자 수익자 가입자 대상자 참여자 피험자 산모 임부 임신부 남편 아내 배우자
    고인 망인 환아 아기 신생아 부친 모친 아버지 어머니 아들 딸 큰아들 작은아들 큰딸 작은딸
    막내아들 막내딸 며느리 사위 손자 손녀
    형제 자매 형 누나 언니 오빠 동생 남동생 여동생 부 모 자 녀 처 부모 조모 조부 외조모 이모 고모 삼촌 외삼촌 시어머니
    시아버지 장모 장인 친구 지인 동거인 이웃 원장 병원장 부원장 과장 의사 의료진
    간호사 수간호사 책임간호사 간호조무사 간병인 간병사 요양보호사 조산사 소방교 소방사 소방장
    소방위 구급대원 구급사 이송기사 이송요원 기사 운전자 상대_운전자 운전원 통역 통역사 통역인 코디네이터 상담사
    상담실장 실장 팀장 부장 차장 대리 주임 사원 사회복지사 복지사 영양사 임상영양사 약사
    치위생사 치과위생사 방사선사 임상병리사 병리사 물리치료사 작업치료사
    언어치료사 치료사 치료자 심리사 임상심리사 평가자 시행자 시술자 시술의 시술 마취의 마취과의사 집도 제1조수 제2조수
    조수 보조 소독간호사 순환간호사 천자 담임 담임교사 교사 선생님 교수 센터장 책임자
    사회복지 술자 배석 불참 참석 발표 좌장 시설장 파트장 관리자 담당수사관 경찰관 형사 공무원 주무관
    주간호제공자 주수발자 수발자 법정대리인 대리인 연락인 비상연락처 비상연락 증인 입회인 설명자 설명의사 설명간호사
    동의자 수령자 수신 참조 발신 요청자 회신자 회신 협진의 방문간호사 가정전문간호사 전문간호사
    전담간호사 공여자 수혜자 기증자
    접촉자 접촉_직원 같은_병실 전원의 세대주 직원 입원환자 외래환자 예약자 내원자 상담자 내담자 자문 진료의 진찰의
    주관 감독 검수자 승인자 결재 결재자 책임 총괄 교육자 지도 원무 접수자 등록자 수납자
    이용자 장애인 어르신 할머니 할아버지 큰애 작은애 첫째 둘째 셋째 발단자 재해자 참석자 면담자 면담 동료 현장소장
    소장 심사역 액팅
    보증인 연대보증인 의무자
    아동 신고 역학조사관 심사자 순환 소독 프리셉터 프리셉티 패널 코디 차지 피검자
    시누이 학생 노출원 지표환자
    수련생 실습생 수련의 심리전문가
    외할머니 외할아버지 친할머니 친할아버지 시부 시모 큰며느리 작은며느리
    민원인 검토 검토자 의학물리 의학물리사 출고 불출 배부 후견인 후견인_후보 보호자_겸 자원봉사자 봉사자 접수봉사 설계사
    보험설계사 목사 신부 수녀 스님 변호사 강사 수강생 교육생 조장 반장 통보받은_사람 받는_사람 보낸_사람 전한_사람
    보건교사 특수교사 지도사 조리사 상급자 후임 전임자 후임자 유가족 간병 임상심리전문가 검안 부검의 팀원
    막냇동생 약혼자 약혼녀 여자친구 남자친구 룸메이트 짝꿍"""
)
LATIN_ROLES = _alternatives(
    r"""Pt\.? Patient Name Pt_name Patient_name patient_name Full_name Dr\.? Prof\.? RN PT OT ST CRC PI DR\.?
    DH\.? Surgeon
    Operator Assist Assistant 1st_assist 2nd_assist 1st_assistant Anesthesiologist Anesthetist Scrub Circulating
    Nurse NP PA Sub-I Sub-PI
    R1 R2 R3 R4 Fellow Intern Resident Staff Attending attending Physician Doctor doctor Radiologist
    Pathologist Referring Interpreter Guardian Mother Father Spouse Contact reporter Author
    Signed_by Reported_by Read_by Performed_by Ordered_by Verified_by Approved_by Requested_by Prepared_by Checked_by
    Written_by Consultant index Mr\.? Mrs\.? Ms\.? MD Coordinator Therapist Technician Tech Witness Caller
    caregiver interpreter surgeon operator nurse guardian Signed signed Signature proband Proband pt by dr Anes\.?
    Assist\.? Surg\.? Op\.? doc_nm dr_nm mother father spouse
    Client client Emergency_contact Sonographer Endoscopist Therapist therapist OTR PTR Reviewer
    Caregiver Assistant Recorder Pharmacist asst\.? 1st_asst 2nd_asst scrub circ\.? anes\.? Anesth\.?
    coworker Coworker back-up backup Back-up Charge charge Son Daughter Wife Husband son daughter wife husband"""
)
# What stands right behind a name.
TITLES = _alternatives(
    """님 씨 군 양 옹 환자분 환자 환아 보호자 교수 교수님 선생 선생님 쌤 샘 과장 과장님 원장 원장님 부원장 병원장 의사
    전공의 전문의 전임의 인턴 레지던트 간호사 수간호사 책임간호사 간호부장
    간호조무사 조무사 실장 팀장 부장 차장 대리 주임 계장 사원 기사
    약사 영양사 복지사 사회복지사 물리치료사 작업치료사 치료사 방사선사 임상병리사 병리사 상담사 상담실장 할머니
    할머님 할아버지 할아버님 어르신 어머니 어머님 아버지 아버님 산모 산모님 수진자 피험자 대상자
    아기 애기 학생 어린이 원무과장 시설장 파트장 센터장 이사 대표 사장 회장 목사 신부 수녀 스님 변호사
    여사 기자 교사 담임 소방교 소방사 소방장 소방위 경위 경장 순경 경사 주무관 통역사 통역 코디네이터 코디 간병인
    간병사 여사님 T Dr 주치의 조산사 요양보호사 방문간호사 당직의 전담간호사 연구간호사
    고객 고객님 회원 회원님 아빠 엄마 이모 이모님 삼촌
    연구원 드림 배상 올림 귀하 귀중 앞 본인 서명 사인 외_\\d인"""
)
# Titles strong enough to make a lone surname a name.
RANKS = _alternatives(
    "교수 교수님 선생 선생님 쌤 샘 과장 과장님 원장 원장님 부원장 간호사 간호사님 실장 팀장 부장 할머니 할머님 "
    "할아버지 할아버님 어르신 씨 약사 약사님 대리 주임 여사 여사님 기사 기사님 "
    "의사 의사님 사장 사장님 닥터 간병사 간병인 조무사 수간호사 전공의 인턴 레지던트 치료사 복지사 군 양 옹 환자 환자분"
)
# Particles and endings that may be glued to a name.
PARTICLES = _alternatives(
    "은 는 이 가 을 를 의 에게 께 께서 께서는 께는 한테 과 와 도 로 으로 로부터 에 만 랑 이랑 이고 이고요 이며 "
    "이라고 라고 라는 이라는 입니다 이다 임 에게는 에게도 에게서 한테서 "
    "하고 이가 이는 이를 이의 이에게 이와 이도 측 쪽 네 외 등 및 와의 과의 까지 부터 보다 이신 "
    "이세요 예요 에요 이에요 이예요 인데 인데요 이구요 구요 십니다 이십니다 이시고 이시며 이라는데 "
    "한테는 께도 이한테 이라 라서 "
    "이신데 이신데요 이었습니다 였습니다 이었고 였고 이었음 였음 이라서 인 이란 란 으로부터 이요"
)
# Not names though they stand where names stand.
NOT_BEFORE_TITLE = read_words("not_before_title.txt")
