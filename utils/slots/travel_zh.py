"""The travel queries of `utils.slots.travel` in the lecture's own language.

Its own sentences, for Chinese puts things elsewhere: 「十一月二日抵達台北」 says when, and only
then whether that is an arrival. `utils.slots.travel` says how to read the signs.
"""

import itertools
import random

# The train part's cities are made of common characters, too: 的黎波里, 四日市, 和歌山

TRAIN_CITIES = """
    台北 倫敦 紐約 東京 巴黎 舊金山 柏林 香港 波士頓 的黎波里 新加坡 洛杉磯 首爾 和歌山
    馬德里 芝加哥 羅馬 包頭 吉隆坡 雪梨 維也納 明尼亞波利斯 墨西哥城 多倫多 高雄 四日市
    都柏林 聖塔菲 大阪 開封 丹佛 開普敦 里斯本 上饒 開羅 布宜諾斯艾利斯 莫斯科 日惹
    雅典 特拉維夫 布拉格 瓜地馬拉市 西雅圖 拉斯維加斯 孟買 天津 奧斯陸 鹽湖城 蘇黎世
    下龍 馬尼拉 布魯塞爾 河內 呼和浩特 阿布達比 華沙 達拉斯 的里雅斯特 台南 聖彼得堡
    奈洛比 昆明 里昂 布達佩斯 京都 大連 漢堡 利馬 德里 小樽 底特律 金邊 拿坡里 三重
    波哥大 休士頓 赫爾辛基 八戶 日內瓦 喀拉蚩 新竹 九江 波多 雅加達 蒙地卡羅 十和田
    格拉斯哥 拉哥斯 聖荷西 出雲 克拉科夫 北京 塔林 前橋 基多 安卡拉 佛羅倫斯 一宮 釜山
    伯斯 司徒加特 二連浩特 哈瓦那 馬賽 名古屋 北九州市 里加 阿克拉 布里斯托 上越
    巴拿馬城 安特衛普 清奈 明石 卑爾根 卡加利 塞維亞 日光 突尼斯 溫尼伯 巴勒摩 和田
    花蓮 峴港 萊比錫 下關 達卡 索非亞 阿得雷德 天水 長灘 烏特勒支 拉合爾 千葉 基隆 屏東
    嘉義 五所川原 苗栗 廣州 哈爾濱 六安 廈門 青島 仰光 鳳山市 麗水 三亞 沖繩 仙台 神戶
"""
DEV_CITIES = """
    漢諾威 基督城 畢爾包 加爾各答 成都 可倫坡 里茲 蒙特婁 盧安達 貝爾法斯特 安克拉治
    胡志明市 坎帕拉 金夏沙 鳳凰城 撒馬爾罕 奧馬哈 利物浦 伊斯坦堡 檳城 聖安東尼奧 重慶
    溫特和克 杜塞道夫 萬象 地拉那 彰化 基輔 大叻 大理 長崎 鹿兒島 魁北克 西安 泗水 南京
    卡地夫 貝魯特 伊斯蘭堡 威靈頓 拉巴斯 伯明罕 科隆 永珍 三蘭港 渥太華 亞歷山卓 清邁
    亞特蘭大 比什凱克 亞松森 卡薩布蘭卡 馬公 新山 提比里斯 聖薩爾瓦多 南昌 夏洛特 斯科普里
    札幌 布加勒斯特 德班 熊本 暹粒 瓦倫西亞 杜拜 大邱 納許維爾 尼斯 慕尼黑 桃園 波特蘭
    曼谷 羅薩里奧 奎松城 九龍 德勒斯登 光州 達爾文 日利納 麥德林 敖德薩 葉卡捷琳堡 利雅德
    大田 武漢 檀香山 斯普利特 靜岡 多哈 科克 愛丁堡 蘇瓦 巴格達 格拉茲 海參崴 曼非斯
    法蘭克福 威尼斯 喀山 宜蘭 哈利法克斯 普利托利亞 大馬士革 巴爾的摩 土魯斯 鹿特丹 塔什干
    斯利那加 金澤 德黑蘭 路沙卡 科爾多瓦 馬六甲 南特 史特拉斯堡 巴西利亞 上海 萬隆 日立
    瓜亞基爾 順化 坎培拉
"""
TEST_CITIES = """
    阿姆斯特丹 紐奧良 巴塞隆納 台中 聖地牙哥 墨爾本 費城 聖保羅 哥本哈根 邁阿密 深圳
    米蘭 斯德哥爾摩 堪薩斯城 溫哥華 杜林 洛桑 匹茲堡 約翰尼斯堡 貝爾格勒 福岡 芽莊
    布里斯本 辛辛那提 瓜達拉哈拉 札格瑞布 塞拉耶佛 烏蘭巴托 橫濱 紐倫堡 台東 龍坡邦
    蒙特維多 波爾多 維爾紐斯 海德拉巴 哥德堡 加德滿都 曼徹斯特 坦帕 波隆那 明斯克
    奧克蘭 雷克雅維克 布拉提斯拉瓦 沙加緬度 馬拉喀什 南投 澎湖 杭州 濟州 岡山
"""
TRAIN_CITIES, DEV_CITIES, TEST_CITIES = (
    cities.split() for cities in (TRAIN_CITIES, DEV_CITIES, TEST_CITIES)
)

TAIPEI = "{time: 十一月二日}[抵達|離開]{place: 台北}", "after"

SENTENCES = {
    "before": [
        "<wish>[抵達|離開]<place>的時間是<day>",
        "<wish>[到|離開]<place>，時間訂在<day>",
        "<which>[抵達|離開]<place>，我想選<day>",
        "<which>是[開往|駛離]<place>的",
        "<find>[飛往|飛離]<place>的<trip>",
        "<find>[抵達|離開]<place>、日期是<day>的<trip>",
        "<find>[前往|來自]<place>、[來自|前往]<other place>的<trip>",
        "<wish>[先到|先離開]<place>，再[從|去]<other place>[出發|看看]",
        "<wish>[抵達|離開]<place>的日子是<day>，[離開|抵達]<other place>的日子是<other day>",
    ],
    "far": [
        "<we must>[抵達|離開]的城市，<aside>，是<place>",
        "<we must>[抵達|離開]的城市，<aside>，是<place>，日子是<day>",
        "<our>的[目的地|出發地]，<aside>，是<place>",
        "<our>的[目的地|起點]，<aside>，這次選了<place>，日期是<day>",
        "關於[抵達|出發]，<aside>，我們決定是<place>，<day>",
        "<find>[到站|離站]時<comfort>的<trip>，地點是<place>，日期是<day>",
        "[抵達|出發]的日子，<aside>，應該是<day>，城市是<place>",
        "<our>的[目的地和出發地|出發地和目的地]，<aside>，分別是<place>和<other place>",
    ],
    "after": [
        "<day>[抵達|離開]<place>",
        "<day><we must>[抵達|離開]<place>",
        "<place>是<we must>[抵達|離開]的城市",
        "<place>，<day>，是<our>旅程[結束|開始]的地方和日子",
        "<place>這個城市，<aside>，<we must>[抵達|離開]",
        "!find <place><day>有沒有[到站|離站]的<trip>",
        "<day>是<we must>[抵達|離開]<place>的日子",
        "<place>和<other place>是<our>旅程[結束和開始|開始和結束]的地方",
        "請把<place>和<day>寫在[抵達|出發]這一欄",
        "<place>和<other place>，<we must>[先到後者再離開前者|先離開後者再到前者]",
    ],
}

PHRASES = {
    "place": ["{place: <city>}"],
    "other place": ["{other place: <city>}"],
    "day": ["{time: <date>}"],
    "other day": ["{other time: <date>}"],
    "date": [
        *("<cn month>月<cn day><th>", "<month>月<nth><th>", "<month>月<nth><th><hours>"),
        *("<week><weekday>", "<week><weekday><hours>", "下<week><weekday>", "這個<week><weekday>"),
        *("明天", "後天", "明天<hours>", "後天<hours>"),
    ],
    "cn month": [*"一二三四五六七八九十", "十一", "十二"],
    "month": [*map(str, range(1, 13))],
    "cn day": [*"一二三四五六七八九十", "十一", "十二", "十五", "十八", "二十", "二十一", "二十八"],
    "nth": [*map(str, range(1, 29))],  # the days that every month has
    "th": ["日", "號"],
    "week": ["星期", "週", "禮拜"],
    "weekday": [*"一二三四五六"],
    "hours": ["早上", "上午", "下午", "晚上"],
    "wish": ["", "請幫我", "<we must>", "我希望", "請問能不能", "麻煩安排"],
    "we must": ["我必須", "我們想", "我打算", "老闆需要", "我們計畫", "我得"],
    "our": ["我們", "我", "他", "爸媽", "這個團"],
    "find": [
        "!find 找",
        "!find 查一下",
        "!book 請訂",
        "!find 有沒有",
        "!book 我要買",
        "!find 請給我看",
    ],
    "trip": ["班機", "最便宜的票", "夜車", "兩個座位", "渡輪", "巴士"],
    "which": ["!ask_which 哪一班飛機", "!ask_which 請問哪班火車", "!ask_which 誰知道哪一輛巴士"],
    "aside": ["<company>，<reason>", "<reason>，<company>"],
    "company": [
        "帶著兩個小孩和一隻狗",
        "跟一個不會游泳的朋友一起",
        "只背一個綠色的小包",
        "和整個學校的樂團同行",
        "沒有阿姨和她的鸚鵡",
    ],
    "reason": [  # its 從, 離開 and 到 say nothing about the journey
        "為了參加從小認識的同學的婚禮",
        "如果還等得到靠窗的位子",
        "預算不超過兩百元",
        "因為我離不開手機",
        "除非那輛舊車又能動了",
    ],
    "comfort": ["還有靠窗座位", "放得下腳踏車和大帳篷", "能用我那張舊卡打折", "花費不超過兩百元"],
}


# ------------------------------------------------------------------ invented cities

# the first level of Big5: the 5401 Chinese characters in frequent use
FREQUENT = [
    bytes([first, second]).decode("big5")
    for first in range(0xA4, 0xC7)
    for second in (*range(0x40, 0x7F), *range(0xA1, 0xFF))
    if (first, second) <= (0xC6, 0x7E)
]


def invent(cities, count):
    """Return names of two to five characters, but no city that is listed.

    A foreign city is written by sound, with any of hundreds of characters. The names of the train
    part are too few to learn from that a character never seen in a name may be part of one, even a
    character of the sentences. So a third of the characters come from the cities, a third from the
    sentences, and a third from all that are in frequent use.
    """
    rng = random.Random(0)
    texts = "".join(itertools.chain(*SENTENCES.values(), *PHRASES.values()))
    sources = ["".join(cities), sorted({*texts}.intersection(FREQUENT)), FREQUENT]
    listed = {*TRAIN_CITIES, *DEV_CITIES, *TEST_CITIES}
    names = [
        "".join(rng.choice(rng.choice(sources)) for _ in range(rng.choice([2, 3, 3, 4, 5])))
        for _ in range(count)
    ]
    return [name for name in dict.fromkeys(names) if name not in listed]


TRAIN_CITIES += invent(TRAIN_CITIES, 1600)
