const NETWORKS = { lstm: LSTM_BOARD, rnn: RNN_BOARD };
begin(build, changed);
