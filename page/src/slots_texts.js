const CHINESE = { // for intents and slots, whose English is their name
  find: "找", book: "訂", ask_which: "問哪一班", say_when: "說時間", say_where: "說地點",
  destination: "目的地", departure: "出發地", time_of_arrival: "抵達時間", time_of_departure: "出發時間",
};
const named = ([name, chinese]) => [name, [name.replaceAll("_", " "), chinese]];
const TEXTS = {
  empty: ["Type a sentence.", "請輸入一句話。"],
  tooLong: ["Only the first {0} of {1} words are read.", "共 {1} 個詞，只讀前 {0} 個。"],
  intent: ["intent", "意圖"],
  ...Object.fromEntries(Object.entries(CHINESE).map(named)),
  memory: ["memory of the GRU", "GRU 的記憶"],
  other: ["other", "其他"],
  memoryTwin: ["in the other sentence", "另一句的記憶"],
  difference: ["difference", "差別"],
  decided: ["Without “{0}”, “{1}” is “{2}” by {4}, not {3}.", "遮住「{0}」，「{1}」是「{2}」：{3} 變成 {4}。"],
};
