"""What Streamlit's queue of messages to a browser keeps when a run of the page begins."""

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from dashboard.session.clicks import but_for_answers


def queue_with(*messages):
    queue = ForwardMsgQueue()
    for message in messages:
        queue.enqueue(message)
    return queue


@pytest.mark.fault(137)
def test_the_address_for_a_file_outlives_the_begin_of_a_run():
    answer, drawn, ended = ForwardMsg(), ForwardMsg(), ForwardMsg()
    answer.file_urls_response.response_id = "picture"
    drawn.delta.new_element.text.body = "of the last run"
    ended.script_finished = ForwardMsg.FINISHED_SUCCESSFULLY
    plain, ours = queue_with(answer, drawn, ended), queue_with(answer, drawn, ended)
    ForwardMsgQueue.clear(plain, retain_lifecycle_msgs=True)
    kinds = [message.WhichOneof("type") for message in plain.flush()]
    assert kinds == ["script_finished"]  # else this mend has become needless
    but_for_answers(ForwardMsgQueue.clear)(ours, retain_lifecycle_msgs=True)
    kept = ours.flush()
    assert [message.WhichOneof("type") for message in kept] == ["script_finished", "file_urls_response"]
    assert kept[1].file_urls_response.response_id == "picture"


def test_what_is_kept_anyway_is_there_once():
    answer = ForwardMsg()
    answer.file_urls_response.response_id = "picture"
    queue = queue_with(answer)
    but_for_answers(ForwardMsgQueue.clear)(queue, retain_lifecycle_msgs=True, fragment_ids_this_run=["other"])
    assert len(queue.flush()) == 1
