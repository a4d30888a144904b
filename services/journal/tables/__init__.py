"""The statements, a file for each kind of record: functions of a connection, the same for both databases."""
