/*
 * A viewer made of libvncclient, for framebridge's tests.
 *
 *   client HOST PORT ENCODINGS BITS SAMPLES BYTES QUALITY COMPRESSION CURSOR
 *
 * BITS, SAMPLES and BYTES are rfbGetClient's; a QUALITY below 0 means no JPEG;
 * CURSOR 1 takes the pointer's shape, 0 leaves its painting to the server. The
 * password is $VNC_PASSWORD.
 *
 * For every byte on standard input it writes its framebuffer to standard
 * output, raw, after a line with what that needs: width, height, bytes a pixel,
 * the components' maxima and shifts. It ends with standard input (status 0) or
 * with the connection (2); 3 means that there never was one.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rfb/rfbclient.h>

static int updates;

static char *password(rfbClient *c)
{
	const char *p = getenv("VNC_PASSWORD");

	(void)c;
	return strdup(p ? p : "");
}

static void finished(rfbClient *c)
{
	(void)c;
	updates++;
}

static void dump(rfbClient *c)
{
	rfbPixelFormat *f = &c->format;
	int bytes = f->bitsPerPixel / 8;

	printf("%d %d %d %d %d %d %d %d %d\n", c->width, c->height, bytes, f->redMax, f->greenMax, f->blueMax,
	       f->redShift, f->greenShift, f->blueShift);
	fwrite(c->frameBuffer, bytes, (size_t)c->width * c->height, stdout);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	rfbClient *c;
	int asked = 0;

	if (argc != 10) {
		fprintf(stderr, "wrong number of arguments\n");
		return 1;
	}
	c = rfbGetClient(atoi(argv[4]), atoi(argv[5]), atoi(argv[6]));
	c->GetPassword = password;
	c->FinishedFrameBufferUpdate = finished;
	c->canHandleNewFBSize = TRUE;
	c->serverHost = strdup(argv[1]);
	c->serverPort = atoi(argv[2]);
	c->appData.encodingsString = argv[3];
	c->appData.shareDesktop = TRUE;
	c->appData.enableJPEG = atoi(argv[7]) >= 0;
	if (c->appData.enableJPEG)
		c->appData.qualityLevel = atoi(argv[7]);
	c->appData.compressLevel = atoi(argv[8]);
	c->appData.useRemoteCursor = atoi(argv[9]);
	if (!rfbInitClient(c, NULL, NULL))
		return 3; /* it has freed c */

	for (;;) {
		struct pollfd fds[2] = { { c->sock, POLLIN, 0 }, { 0, POLLIN, 0 } };
		char b;

		if (poll(fds, 2, c->buffered > 0 ? 0 : -1) < 0)
			return 1;
		if (fds[1].revents) {
			if (read(0, &b, 1) != 1)
				break;
			asked++;
		}
		if ((fds[0].revents || c->buffered > 0) && !HandleRFBServerMessage(c))
			return 2;
		/* Before the first update there is no picture to write. */
		for (; asked > 0 && updates > 0; asked--)
			dump(c);
	}
	rfbClientCleanup(c);
	return 0;
}
