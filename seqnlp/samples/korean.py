"""The Korean half of the booking requests: rules, in the notation of `grammar.py`.

A particle is part of its eojeol, so a tagged value ends where its last eojeol ends.
"""

from seqnlp.samples.grammar import parse_rules

RULES = parse_rules("""
place =
    <known_place> *7 / <town>
rail_region =
    home_place
rail_word =
    기차 / 기차표 / 기차표를 / 기차를 / 열차 / KTX / 막차 / 출발역
known_place =
    <home_place> *3 / <far_place> *2
home_place =
    <town> *8 / 서울 *4 / 부산 *4 / 대구 *2 / 대전 *2 / 광주 *2 / 인천 *2 / 강릉 / 여수 / 전주
    경주 / 울산
    포항 / 목포 / 춘천 / 속초 / 통영 / 순천 / 천안 / 수원 / 안동 / 김포 / 청주 / 진주 / 창원
    군산 / 원주
    동해 / 거제 / 평창 / 용산 / 동대구 / 오송 / 정읍 / 밀양 / 영주 / 삼척 / 제천 / 인천 공항
far_place =
    제주 *3 / 김해 공항 / 도쿄 *2 / 오사카 *2 / 후쿠오카 / 삿포로 / 교토 / 오키나와 / 베이징
    상하이 / 타이베이
    홍콩 / 방콕 / 하노이 / 다낭 / 호찌민 / 싱가포르 / 마닐라 / 세부 / 발리 / 괌 / 사이판
    시드니 / 런던 / 파리
    로마 / 밀라노 / 베를린 / 프라하 / 빈 / 마드리드 / 바르셀로나 / 리스본 / 뉴욕 / 시카고
    시애틀 / 보스턴 / 하와이
    밴쿠버 / 토론토 / 두바이 / 이스탄불 / 제주 공항 / 김해 공항 / 나리타 공항 / 하네다 공항
    간사이 공항 / 푸동 공항
town =
    <town_first><town_last>
town_first =
    금 / 대 / 신 / 남 / 동 / 화 / 송 / 문 / 영 / 청 / 안 / 양 / 오 / 장 / 홍 / 백
town_last =
    산 / 천 / 주 / 성 / 원 / 포 / 진 / 곡 / 촌 / 림 / 덕 / 평
family_name =
    김 *3 / 이 *3 / 박 *2 / 최 *2 / 정 / 강 / 조 / 윤 / 장 / 임 / 한 / 오 / 서 / 신 / 권 / 황
given_name =
    민준 / 서연 / 도윤 / 하은 / 지훈 / 수빈 / 현우 / 유진 / 예린 / 태호 / 은지 / 성민 / 가을
    하늘 / 보라 / 다정
    한별 / 아름 / 재석 / 미경 / 영수 / 정호 / 소라 / 나래 / 준서 / 지우 / 서윤 / 동현 / 혜진
    상훈
person =
    <family_name><given_name> *6 / <foreign_given> <foreign_family>
foreign_given =
    마리아 / 제임스 / 안나 / 폴 / 소피 / 다니엘 / 에마 / 루카스 / 시드니 / 파리
foreign_family =
    스미스 / 가르시아 / 첸 / 브라운 / 로시 / 밀러 / 쿠퍼 / 런던 / 베이커 / 실바
hotel_word =
    그랜드 / 로열 / 블루 / 골든 / 리버 / 오션 / 가든 / 스카이 / 센트럴 / 하버 / 레이크 / 힐
    선셋 / 문라이트 / 바다
    하늘 / 별빛 / 솔숲 / 노을 / 달빛 / 은하 / 동백 / 한옥 / 파도 / 해변
hotel_kind =
    리조트 / 스테이 / 게스트하우스 / 레지던스 / 펜션
hotel =
    <hotel_word> <known_place> 호텔 *2 / <known_place> <hotel_word> 호텔 *2
    <hotel_word> <hotel_word> 호텔 / <hotel_word> <hotel_kind> *3 / <known_place> <hotel_kind>
    <town> <hotel_kind> / 호텔 <hotel_word> *2 / 호텔 <known_place> / 호텔 <town>
airline =
    <airline_word>항공 *4 / <airline_word>에어 *2 / 에어<airline_word> *2
    <airline_word> 에어라인
airline_word =
    제주 / 서울 / 부산 / 한빛 / 하늘 / 바다 / 동방 / 남해 / 은하 / 새벽 / 태양 / 무지개 / 블루
    골든 / 노던
    스카이 / 퍼시픽 / 방콕 / 하노이 / 로마
weekday =
    월요일 / 화요일 / 수요일 / 목요일 / 금요일 / 토요일 / 일요일
month =
    1월 / 2월 / 3월 / 4월 / 5월 / 6월 / 7월 / 8월 / 9월 / 10월 / 11월 / 12월
day =
    1일 / 2일 / 3일 / 4일 / 5일 / 6일 / 7일 / 8일 / 9일 / 10일 / 11일 / 12일 / 13일 / 14일
    15일
    16일 / 17일 / 18일 / 19일 / 20일 / 21일 / 22일 / 23일 / 24일 / 25일 / 26일 / 27일 / 28일
date =
    <weekday> *4 / <month> <day> *4 / <later> / 다음 달 <day>
soon =
    오늘 / 내일 *3 / 모레 *2 / <later>
later =
    다음 주 <weekday> *2 / 이번 주 <weekday> / 다음 주말 / 이번 주말
hour =
    한 / 두 / 세 / 네 / 다섯 / 여섯 / 일곱 / 여덟 / 아홉 / 열
hour_digit =
    1시 / 2시 / 3시 / 4시 / 5시 / 6시 / 7시 / 8시 / 9시 / 10시 / 11시 / 12시
half_day =
    오전 / 오후
minute =
    반 / 5분 / 10분 / 15분 / 20분 / 25분 / 30분 / 40분 / 45분 / 50분
time =
    <half_day> <hour_digit> *3 / <half_day> <hour_digit> <minute> *3 / <hour_digit> / <hour> 시
    <half_day> <hour> 시 *2 / <hour> 시 반 / 정오
part =
    오전 / 오후 / 저녁 / 아침
few =
    두 *2 / 세 *2 / 네 *2 / 다섯 / 여섯
single =
    한
digit =
    1 / 2 *2 / 3 *2 / 4 / 5 / 6
span_of_nights =
    1박 / 2박 / 3박 / 4박 / 5박 / 6박 / 1박 2일 / 2박 3일 / 3박 4일 / 4박 5일 / 하루 / 이틀
    사흘 / 나흘
cabin =
    비즈니스석 / 이코노미석 / 일등석 / 비즈니스 클래스 / 프리미엄 이코노미
rail_cabin =
    특실 / 일반실 / 우등실
amount =
    1 / 2 / 3 / 4 / 5 / 6 / 7 / 8 / 9 / 10 / 12 / 15 / 20 / 25 / 30 / 35 / 40 / 45 / 50 / 60
    70 / 80 / 90
thousand =
    1천 / 2천 / 3천 / 5천 / 7천 / 8천
price =
    <amount>만 원 *3 / <amount>만 <thousand> 원 *2 / <amount>0,000원 / <amount>만원
    <amount>0달러

book =
    예약해 주세요 *3 / 예약해 줘 *3 / 예약 부탁드려요 / 예약하고 싶어요 *2 / 예약할게요
    예약하려고요 / 잡아 주세요
    잡아 줘 / 찾아 주세요 / 알아봐 주세요 / 알아봐 줄래요? / 예약할 수 있을까요? *2
    예약되나요? / 예약 가능한가요?
    필요해요 / 구해 줘
get_ticket =
    <book> *2 / 예매해 주세요 *3 / 예매해 줘 *2 / 예매하고 싶어요 / 끊어 주세요 / 끊어 줘
    예매 부탁드립니다 / 예매할게요
    예매할 수 있나요?
flight =
    비행기표 *2 / 비행기 *2 / 항공권 *2 / 직항 비행기 / 제일 싼 항공권 / 첫 비행기
train =
    기차표 *2 / 기차 *2 / 열차 / KTX *2 / KTX 표 / 첫 기차 / 막차
going =
    {origin}에서 {destination}(으)로 가는 *3
    {origin}에서 {destination} 가는 *2
    {origin}에서 {destination}까지 가는
    {origin} 출발 {destination} 도착
    {origin}에서 출발해서 {destination}에 도착하는
    {origin}에서 출발하는 {destination}행
    {destination} 가는
    {destination}(으)로 가는
    {destination}행
    {origin}에서 타는
pair =
    {origin}에서 {destination} / {origin} 출발 {destination} 도착 / {origin}-{destination}
    {origin}에서 {destination}까지
leave =
    {departure_date:soon} *3 / {departure_date}에 *2 / {departure_date}
    {departure_date:soon} 출발
    {departure_date}에 출발하는 / {departure_date:later} 떠나는
back =
    {return_date}에 돌아오는 *2 / {return_date:later} 돌아오는 / {return_date}에 복귀하는
when =
    <leave> *4 / {departure_date}에 가서 {return_date}에 오는
    {departure_date} 출발 {return_date} 복귀
    {departure_date}에 출발해서 {return_date}에 돌아오는 *2
    {departure_date}부터 {return_date}까지
    가는 날은 {departure_date}, 오는 날은 {return_date},
    오는 날은 {return_date}, 가는 날은 {departure_date},
hour_of_day =
    {time}에 / {time} 이후 / {time} 이전 / {time}쯤 / {time} / {time}까지 도착하는
when_hour =
    <when> *3 / {departure_date:soon} <hour_of_day> *2 / {departure_date} <hour_of_day>
    {departure_date:soon} {time:part}
people =
    {passengers:few} 명 *2 / {passengers:digit}명 *2 / 어른 {passengers:few} 명
    어른 {passengers:digit}명
    어른 {passengers:few} 명 아이 {passengers:single} 명 / {passengers:single} 명
    총 {passengers:digit}명
tickets =
    {passengers:few} 장 *2 / {passengers:single} 장 / {passengers:digit}장 *2
    왕복으로 {passengers:few} 장 / 편도 {passengers:digit}장
cabin_phrase =
    {seat_class:cabin}(으)로 *2 / 좌석은 {seat_class:cabin}(으)로
rail_cabin_phrase =
    {seat_class:rail_cabin}(으)로 *2 / 좌석은 {seat_class:rail_cabin}(으)로
    {seat_class:rail_cabin}
carrier =
    {airline} 편으로 / 항공사는 {airline}(으)로 / {airline} 타고
budget =
    {price} 이하로 / {price} 이내로 / {price} 안 넘게 / 예산 {price} 안에서
stay =
    {checkin_date}부터 {nights:span_of_nights} *3 / {nights:span_of_nights} *2
    {checkin_date}에
    {checkin_date:soon} {nights:span_of_nights} / 체크인 {checkin_date}
    {nights:span_of_nights} 동안
in_city =
    {city}에서 묵을 / {city}에 있는 / {city} 시내 / {city} 쪽 / {city} 근처
room =
    호텔 *2 / 숙소 *2 / 방 하나 *2 / 호텔 방 / 깨끗한 숙소 / 조용한 방
back_trip =
    돌아오는 비행기를 / 돌아오는 기차를 / 오는 편을 / 돌아오는 표를 / 귀국편을
hotel_room =
    {hotel} 방 / {hotel} 객실 / {hotel}
room_at =
    {hotel}에 방 하나 / {hotel} 방 / {hotel} 객실 / {hotel}
named =
    {person} 이름으로 / {person} 님 이름으로 / {person} 명의로 / {person} 앞으로
booking =
    비행기 예약 / 기차 예약 / 예약 / 기차표 / 비행기표 / 항공권
cancel =
    취소해 주세요 *3 / 취소해 줘 *2 / 취소하고 싶어요 *2 / 취소할게요 / 취소 부탁드려요
    취소할 수 있나요?
    취소되나요?
change =
    바꿔 주세요 *3 / 바꿔 줘 *2 / 변경해 주세요 *2 / 바꾸고 싶어요 / 변경 가능한가요?
    바꿀 수 있을까요?
check =
    확인해 주세요 *2 / 확인 부탁드려요 / 확인하고 싶어요 / 됐나요? / 들어갔나요?
    어떻게 됐어요?
cost =
    얼마예요? *3 / 얼마인가요? *2 / 얼마야? / 가격 알려 주세요 / 가격이 궁금해요
    요금이 얼마죠?
a_night =
    하룻밤에 / 하루에 / 방값이 / 객실 요금이
right =
    맞나요? / 맞죠? / 맞아요?
flight_more =
    {departure_date}에 가서 {return_date}에 와요
    모두 {passengers:few} 명이에요
    예약자는 {person}
    타는 사람은 {person}
    예산은 {price}
    출발은 {departure_date}
    돌아오는 날은 {return_date}
    {time} 전에는 도착해야 해요
    {airline}(이)면 좋겠어요
    좌석은 {seat_class:cabin}
hotel_more =
    체크인은 {checkin_date}
    {nights:span_of_nights} 묵을 거예요
    모두 {passengers:few} 명이에요
    예약자는 {person}
    예산은 {price}
    {time}쯤 도착해요

book_flight =
    <when_hour> <going> <flight> <get_ticket> *5
    <going> <flight> [when people?] <get_ticket>
    [when_hour carrier?] <going> <flight> [people cabin_phrase? budget?] <get_ticket> *4
    <when> <going> <flight> <tickets> <get_ticket> *3
    <carrier> <going> <flight> <tickets> <get_ticket>
    <going> <flight> <tickets> <get_ticket>. <flight_more> *2
    <when> {origin} 출발 {destination} 도착 항공권 <people> <get_ticket>
    {origin}-{destination} 왕복 항공권, {departure_date} 출발 {return_date} 복귀
    출발지는 {origin}, 도착지는 {destination}, <leave> <flight> <get_ticket> *2
    도착지는 {destination}, 출발지는 {origin}, <people> <flight> <get_ticket> *2
    <named> <when> <going> <flight> <get_ticket>
book_train =
    <when_hour> <going> <train> <get_ticket> *5
    <when_hour> <going> <train> <tickets> <get_ticket> *4
    <going> <train> [when tickets rail_cabin_phrase?] <get_ticket> *2
    {departure_date:soon} {time}에 <going> <train> <tickets> <get_ticket> *2
    <when> <pair> <train> <rail_cabin_phrase> {passengers:few} 장 <get_ticket> *2
    {departure_date:soon} {origin}에서 {time}에 출발하는 <train> {passengers:few} 장 <get_ticket>
    출발역 {origin}, 도착역 {destination}, {departure_date} {time}, <tickets> <get_ticket>
    {origin}-{destination} 기차표 {passengers:few} 장, {departure_date} {time}
    도착은 {destination}, 출발은 {origin}, <leave> <train> <tickets> <get_ticket>
book_hotel =
    <in_city> <room> [stay people? budget?] <book> *5
    <stay> <in_city> <room> [people? budget?] <book> *4
    <room_at> [stay people?] <book> *3
    {checkin_date}부터 <room_at> {nights:span_of_nights} <book> *2
    <named> <room_at> <stay> <book>
    {city}에서 {checkin_date:soon} 묵을 <room> [people? budget?] <book>
    <in_city> <room> <book>. <hotel_more> *2
    <room_at> <book>. <hotel_more>
    {city} 숙소, {checkin_date} 체크인, {nights:span_of_nights}, {passengers:few} 명
    {city}에 있는 {hotel} <stay> <book>
change_booking =
    {departure_date} 비행기를 {departure_date}(으)로 <change> *2
    <going> <booking> {departure_date}에서 {departure_date}(으)로 <change> *2
    <going> {time} 기차를 {time} 기차로 <change>
    <back_trip> {return_date}에서 {return_date}(으)로 <change>
    {return_date} 오는 편을 {return_date}(으)로 <change>
    {hotel} 체크인을 {checkin_date}에서 {checkin_date}(으)로 <change>
    {city} 숙소 체크인 날짜를 {checkin_date}(으)로 <change>
    {hotel} 예약 {nights:span_of_nights}에서 {nights:span_of_nights}(으)로 <change>
    <booking> 이름을 {person}에서 {person}(으)로 <change>
    <going> <booking> 인원을 {passengers:few} 명에서 {passengers:few} 명으로 <change>
    {person} 님 좌석 {seat_class:cabin}(으)로 <change>
    도착지를 {destination}에서 {destination}(으)로 <change>
    출발지를 {origin}에서 {origin}(으)로 <change>
cancel_booking =
    <leave> <going> <booking> <cancel> *2
    {origin}에서 {destination} 가는 <booking> <cancel>
    <named> 예약한 거 <cancel>
    {person} 님 <booking> <cancel>
    <hotel_room> 예약 <cancel>
    {checkin_date}부터 {nights:span_of_nights} 예약한 {hotel} <cancel>
    {city} 숙소 {nights:span_of_nights} 예약 <cancel>
    {checkin_date} 체크인 {city} 숙소 <cancel>
    <leave> {airline} 비행기 <cancel>
    {time}에 <going> 기차 <cancel>
    <going> 기차표 중에 {passengers:few} 장만 <cancel>
    {return_date} 돌아오는 비행기만 <cancel>
    {return_date:later} 오는 편만 <cancel>
check_status =
    <leave> <going> <booking> <check>
    <named> 예약한 <booking> <check>
    {person} 님 예약 <check>
    {hotel} 예약 <check>
    {hotel} {checkin_date} 체크인 맞나요?
    {city} 숙소 {nights:span_of_nights} 예약 <check>
    {time}에 <going> 기차 지연됐나요?
    {origin}에서 {time}에 출발하는 비행기 제시간에 뜨나요?
    {airline} 비행기 지금 {destination}에 도착했나요?
    {destination} 가는 {airline} 비행기 지연인가요?
    {origin}에서 오는 {time} 기차 도착했나요?
    {return_date} 돌아오는 비행기 {seat_class:cabin} 맞죠?
    {departure_date} 기차 {seat_class:rail_cabin} {passengers:few} 명 예약 <check>
ask_price =
    <when> <going> <flight> <cost> *2
    <when> <going> <train> {passengers:few} 장 <cost>
    <pair> <train> {seat_class:rail_cabin} <cost>
    <going> <flight> {seat_class:cabin} {passengers:digit}명 <cost>
    {airline} 타고 <pair> 왕복 <cost>
    <in_city> <room> {nights:span_of_nights}에 <cost>
    {hotel} {nights:span_of_nights} {passengers:few} 명 <cost>
    {hotel} {checkin_date}부터 {nights:span_of_nights} <cost>
    <in_city> <room> {price} 이하로 있나요?
    <pair> <flight> {price} 안 넘는 거 있나요?
    {hotel} <a_night> {price} <right>

opening =
    () *14 / 안녕하세요, *2 / 안녕하세요! / 안녕하세요 / 저기요, / 수고하십니다.
    문의드립니다. / 급해요! / 혹시
    하나만 여쭤볼게요. / 한 가지만 물어볼게요. / 출장 때문에 그러는데요, / 가족 여행이에요.
    처음 이용해요. / 좋은 아침이에요.
    저녁 늦게 죄송해요. / 서울 사는 사람인데요, / 부산에서 전화드려요. / 시간이 없어서요,
    오늘도 고생 많으세요.
closing =
    . *6 / () *7 / ! / ~ / . 감사합니다 *2 / . 고맙습니다. / 🙏 / 😊 / ㅎㅎ / .. / . 급해요
    . 창가 자리면 좋겠어요.
    . 내일까지 답 주세요.
closing_question =
    ? *7 / () / ?? / ? 감사합니다. / ? 🙏 / ? ㅎㅎ / ? 궁금해요
""")


def calendar(value):
    """Returns (month, day) of a date that names both, else None."""
    month, _, day = value.partition(" ")
    if month not in RULES["month"] or not day:
        return None
    return int(month.removesuffix("월")), int(day.removesuffix("일"))
