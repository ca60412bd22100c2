"""The lexicon of `english_korean.py`: every entry is of a kind of `korean_words.KINDS`."""

WORDS = """
pointer : free =
    this | 이 / that | 그
owner : free =
    my | 제 *2 / our | 우리
number : free =
    two | 두 *2 / three | 세 *2 / four | 네 / five | 다섯 / six | 여섯 / seven | 일곱
    eight | 여덟
hour : plain =
    one | 한 / two | 두 / three | 세 / four | 네 / five | 다섯 / six | 여섯 / seven | 일곱
    eight | 여덟 / nine | 아홉 / ten | 열
name : name =
    Minsu | 민수 / Sujin | 수진 / Jiyoung | 지영 / Hyunwoo | 현우 / Taeho | 태호 / Yuna | 유나
    Dongmin | 동민 / Eunji | 은지 / Sohyun | 소현 / Junho | 준호
speaker : speaker =
    I | 저 i / we | 우리 we
male_pronoun : free =
    he | ()
female_pronoun : free =
    she | ()
man : person =
    man men | 남자 명 / boy boys | 소년 명
woman : person =
    woman women | 여자 명 / girl girls | 소녀 명
kinsman : person =
    younger~1_brother younger~1_brothers | 남동생 명 / son sons | 아들 명
kinswoman : person =
    younger~1_sister younger~1_sisters | 여동생 명 / daughter daughters | 딸 명
friend : person =
    friend friends | 친구 명 *2 / cousin cousins | 사촌 명 / neighbor neighbors | 이웃 명
job : person =
    student students | 학생 명 *2 / doctor doctors | 의사 명 / singer singers | 가수 명
    nurse nurses | 간호사 명 / cook cooks | 요리사 명 / farmer farmers | 농부 명
    painter painters | 화가 명 / writer writers | 작가 명 / scientist scientists | 과학자 명
    reporter reporters | 기자 명 / actor actors | 배우 명
    police~1_officer police~1_officers | 경찰관 명
trait : plain =
    kind | 친절한 / busy | 바쁜 / tall | 키~1_큰 / famous | 유명한 / diligent | 부지런한
    smart | 똑똑한 / healthy | 건강한
state : adjective =
    tired | 피곤하 피곤해 / busy | 바쁘 바빠 / happy | 행복하 행복해 / sick | 아프 아파
    hungry | 배고프 배고파 / sad | 슬프 슬퍼 / thirsty | 목마르 목말라
    lonely | 외롭 외로워 외로우
quality : adjective =
    expensive | 비싸 비싸 / cheap | 싸 싸 / big | 크 커 / small | 작 작아
    pretty | 예쁘 예뻐 / good | 좋 좋아 / light | 가볍 가벼워 가벼우
thing : noun =
    bag bags | 가방 개 / chair chairs | 의자 개 / clock clocks | 시계 개
    umbrella umbrellas | 우산 개 / picture pictures | 그림 장 / box boxes | 상자 개
    candle candles | 양초 개 / car cars | 자동차 대 / bicycle bicycles | 자전거 대
    camera cameras | 카메라 대 / computer computers | 컴퓨터 대 / flower flowers | 꽃 송이
    key keys | 열쇠 개 / doll dolls | 인형 개 / mirror mirrors | 거울 개
    pencil pencils | 연필 자루
    map maps | 지도 장 / knife knives | 칼 자루
text : noun =
    book books | 책 권 *2 / letter letters | 편지 통 / novel novels | 소설 편 / poem poems | 시 편
    postcard postcards | 엽서 장 / essay essays | 수필 편
food : noun =
    apple apples | 사과 개 / orange oranges | 오렌지 개 / egg eggs | 달걀 개
    potato potatoes | 감자 개 / tomato tomatoes | 토마토 개 / banana bananas | 바나나 개
    watermelon watermelons | 수박 통 / sandwich sandwiches | 샌드위치 개
cloth : noun =
    shirt shirts | 셔츠 벌 / coat coats | 외투 벌 / dress dresses | 원피스 벌
    skirt skirts | 치마 벌 / sweater sweaters | 스웨터 벌
shoe : mass =
    shoes | 신발 / boots | 장화 / sneakers | 운동화
pair : noun =
    pair pairs | 켤레
drink : mass =
    coffee | 커피 / tea | 차 / water | 물 / milk | 우유 / juice | 주스
measure : noun =
    cup cups | 잔 / bottle bottles | 병
animal : noun =
    cat cats | 고양이 마리 / dog dogs | 개 마리 / bird birds | 새 마리 / rabbit rabbits | 토끼 마리
sound : mass =
    music | 음악 / the~1_radio | 라디오 / a~1_song | 노래
show : mass =
    a~1_movie | 영화 / television | 텔레비전 / a~1_play | 연극
pastime : mass =
    the~1_piano | 피아노 / the~1_guitar | 기타 / tennis | 테니스 / golf | 골프
subject_taught : mass =
    math | 수학 / English | 영어 / history | 역사 / science | 과학 / Korean | 한국어
tool : mass =
    pencil | 연필 / pen | 펜 / brush | 붓 / ballpoint~1_pen | 볼펜
thing_look : plain =
    new | 새 / old | 오래된 / big | 큰 / small | 작은 / red | 빨간 / blue | 파란 / white | 하얀
    black | 검은 / yellow | 노란 / expensive | 비싼 / cheap | 싼 / heavy | 무거운 / pretty | 예쁜
text_look : plain =
    new | 새 / old | 오래된 / interesting | 재미있는 / short | 짧은 / long | 긴
    difficult | 어려운
food_look : plain =
    fresh | 신선한 / big | 큰 / small | 작은 / delicious | 맛있는
cloth_look : plain =
    new | 새 / red | 빨간 / blue | 파란 / white | 하얀 / black | 검은 / yellow | 노란
    pretty | 예쁜 / warm | 따뜻한 / expensive | 비싼
drink_look : plain =
    hot | 뜨거운 / cold | 차가운 / sweet | 달콤한
thing_verb : verb =
    buy buys bought | 사 사 *2 / sell sells sold | 팔 팔아 / look looks looked for^2 | 찾 찾아
    draw draws drew | 그리 그려 / choose chooses chose | 고르 골라 / make makes made | 만들 만들어
    lose loses lost | 잃어버리 잃어버려 / use uses used | 사용하 사용해
    clean cleans cleaned | 닦 닦아
    hide hides hid | 숨기 숨겨
text_verb : verb =
    read reads read | 읽 읽어 *3 / write writes wrote | 쓰 써 / borrow borrows borrowed | 빌리 빌려
    translate translates translated | 번역하 번역해 / buy buys bought | 사 사
food_verb : verb =
    eat eats ate | 먹 먹어 *2 / order orders ordered | 주문하 주문해
    share shares shared | 나누 나눠
    cut cuts cut | 자르 잘라 / buy buys bought | 사 사
cloth_verb : verb =
    put puts put on^2 | 입 입어 / take takes took off^2 | 벗 벗어 / wash washes washed | 빨 빨아
    choose chooses chose | 고르 골라 / buy buys bought | 사 사
shoe_verb : verb =
    put puts put on^2 | 신 신어 / take takes took off^2 | 벗 벗어 / sell sells sold | 팔 팔아
    buy buys bought | 사 사
drink_verb : verb =
    drink drinks drank | 마시 마셔 *2 / order orders ordered | 주문하 주문해
meet : verb =
    meet meets met | 만나 만나 / help helps helped | 돕 도와 도우
    visit visits visited | 방문하 방문해
    wait waits waited for^2 | 기다리 기다려 / invite invites invited | 초대하 초대해
    praise praises praised | 칭찬하 칭찬해
give : verb =
    give gives gave | 주 줘 / send sends sent | 보내 보내 / lend lends lent | 빌려주 빌려줘
    sell sells sold | 팔 팔아
busy : verb =
    dance dances danced | 춤추 춤춰 / sing sings sang | 노래하 노래해
    work works worked | 일하 일해
    play plays played | 놀 놀아 / study studies studied | 공부하 공부해
    talk talks talked | 이야기하 이야기해 / exercise exercises exercised | 운동하 운동해
    walk walks walked | 걷 걸어 걸으
listen : verb =
    listen listens listened to^2 | 듣 들어 들으
watch : verb =
    watch watches watched | 보 봐
perform : verb =
    play plays played | 치 쳐
learn : verb =
    learn learns learned | 배우 배워
teach : verb =
    teach teaches taught | 가르치 가르쳐
write : verb =
    write writes wrote | 쓰 써
go : verb =
    go goes went | 가 가 *2 / return returns returned | 돌아가 돌아가
say : verb =
    say says said | 말하 말해 / believe believes believed | 믿 믿어
    think thinks thought | 생각하 생각해
want : want =
    want wants wanted | 싶어
be : be =
    be | ()
do : do =
    do does did | ()
frequency : plain =
    often | 자주 *2 / sometimes | 가끔 / always | 항상
city : mass =
    Seoul | 서울 / Busan | 부산 / Daegu | 대구 / Incheon | 인천 / Gwangju | 광주 / Gyeongju | 경주
    Daejeon | 대전
long_vehicle : mass =
    bus | 버스 / train | 기차 / plane | 비행기
short_vehicle : mass =
    bus | 버스 / taxi | 택시 / subway | 지하철 / bicycle | 자전거
location : mass =
    library | 도서관 / park | 공원 / school | 학교 / market | 시장 / restaurant | 식당
    museum | 박물관
    hospital | 병원 / cafe | 카페 / hotel | 호텔 / office | 사무실 / airport | 공항 / station | 역
    bookstore | 서점 / theater | 극장
side : plain =
    on | 위에 / under | 아래에 / next^1_to~1 | 옆에 / behind | 뒤에 / in~1_front^1_of~1 | 앞에
furniture : plain =
    table | 탁자 / desk | 책상 / bed | 침대 / sofa | 소파 / bookshelf | 책장
    refrigerator | 냉장고
weekday : mass =
    Monday | 월요일 / Tuesday | 화요일 / Wednesday | 수요일 / Thursday | 목요일 / Friday | 금요일
    Saturday | 토요일 / Sunday | 일요일
"""
